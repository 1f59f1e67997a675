/**
 * What the proof (programs/prove.ts) needs from within Medusa: a product that only its own sales channel has, and the
 * cancellation of its order. Only requests with the store's proof token get here.
 */
import { timingSafeEqual } from "node:crypto";
import type { MedusaContainer } from "@medusajs/framework/types";
import type { MedusaNextFunction, MedusaRequest, MedusaResponse } from "@medusajs/framework/http";
import { ContainerRegistrationKeys, ProductStatus } from "@medusajs/framework/utils";
import {
  cancelOrderWorkflow,
  createApiKeysWorkflow,
  createInventoryLevelsWorkflow,
  createProductsWorkflow,
  createRegionsWorkflow,
  createSalesChannelsWorkflow,
  createStockLocationsWorkflow,
  linkSalesChannelsToApiKeyWorkflow,
  linkSalesChannelsToStockLocationWorkflow,
} from "@medusajs/medusa/core-flows";
import { PROOF, type ProofShop } from "../../../programs/proof-data";

const MIN_TOKEN_LENGTH = 24;

export async function POST(request: MedusaRequest, response: MedusaResponse, next: MedusaNextFunction): Promise<void> {
  if (!isProof(request)) return void response.status(404).send("Not found");
  const { cancel } = request.body as { cancel?: string };
  if (cancel === undefined) {
    response.json(await createProofShop(request.scope));
  } else {
    await cancelOrderWorkflow(request.scope).run({ input: { order_id: cancel, no_notification: true } });
    response.json({});
  }
}

function isProof(request: MedusaRequest): boolean {
  const [token, given] = [process.env.STORE_PROOF_TOKEN ?? "", request.get("X-Storefleet-Proof") ?? ""].map(Buffer.from);
  return token!.length >= MIN_TOKEN_LENGTH && token!.length === given!.length && timingSafeEqual(token!, given!);
}

/** Its own region, channel and stock: the proof passes with any of the owner's settings. */
async function createProofShop(container: MedusaContainer): Promise<ProofShop> {
  const metadata = PROOF.metadata;
  const { result: [channel] } = await createSalesChannelsWorkflow(container).run({
    input: { salesChannelsData: [{ name: PROOF.name, description: PROOF.handle }] },
  });
  const { result: [region] } = await createRegionsWorkflow(container).run({
    input: {
      regions: [
        { name: PROOF.name, currency_code: PROOF.currency, payment_providers: ["pp_system_default"], automatic_taxes: false, metadata },
      ],
    },
  });
  const { result: [location] } = await createStockLocationsWorkflow(container).run({
    input: { locations: [{ name: PROOF.name, metadata }] },
  });
  await linkSalesChannelsToStockLocationWorkflow(container).run({ input: { id: location!.id, add: [channel!.id] } });
  const { result: [key] } = await createApiKeysWorkflow(container).run({
    input: { api_keys: [{ title: PROOF.name, type: "publishable", created_by: "" }] },
  });
  await linkSalesChannelsToApiKeyWorkflow(container).run({ input: { id: key!.id, add: [channel!.id] } });
  const { result: [product] } = await createProductsWorkflow(container).run({
    input: {
      products: [
        {
          title: PROOF.name,
          handle: PROOF.handle,
          status: ProductStatus.PUBLISHED,
          discountable: false,
          metadata,
          options: [{ title: "Proof", values: ["1"] }],
          variants: [
            {
              title: "1",
              options: { Proof: "1" },
              sku: PROOF.handle,
              manage_inventory: true,
              prices: [{ currency_code: PROOF.currency, amount: PROOF.price }],
            },
          ],
          sales_channels: [{ id: channel!.id }],
        },
      ],
    },
  });
  const variant = product!.variants[0]!.id;
  const query = container.resolve(ContainerRegistrationKeys.QUERY);
  const { data: [found] } = await query.graph({
    entity: "variant",
    fields: ["inventory_items.inventory_item_id"],
    filters: { id: variant },
  });
  const item = found!.inventory_items![0]!.inventory_item_id;
  // nothing to send: the owner's shipping options don't matter
  await container.resolve("inventory").updateInventoryItems({ id: item, requires_shipping: false });
  await createInventoryLevelsWorkflow(container).run({
    input: {
      inventory_levels: [{ inventory_item_id: item, location_id: location!.id, stocked_quantity: PROOF.stock }],
    },
  });
  return { key: key!.token, region: region!.id, variant, item };
}
