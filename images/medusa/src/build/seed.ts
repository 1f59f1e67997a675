/**
 * The shop that is in the image's dump, created by Medusa's own workflows when the image is built. It is of PLACEHOLDERS;
 * programs/personalization.ts replaces them when a store is installed.
 */
import type { ExecArgs } from "@medusajs/framework/types";
import { ContainerRegistrationKeys, Modules, ProductStatus } from "@medusajs/framework/utils";
import {
  createInventoryLevelsWorkflow,
  createProductsWorkflow,
  createRegionsWorkflow,
  createServiceZonesWorkflow,
  createLocationFulfillmentSetWorkflow,
  createShippingOptionsWorkflow,
  createShippingProfilesWorkflow,
  createStockLocationsWorkflow,
  createTaxRegionsWorkflow,
  linkSalesChannelsToStockLocationWorkflow,
  updateStoresWorkflow,
} from "@medusajs/medusa/core-flows";
import { PLACEHOLDERS, SAMPLE_SKU } from "../programs/personalization";

const STOCK = 1000;

export default async function seed({ container }: ExecArgs): Promise<void> {
  const query = container.resolve(ContainerRegistrationKeys.QUERY);
  const link = container.resolve(ContainerRegistrationKeys.LINK);
  const { data: [store] } = await query.graph({ entity: "store", fields: ["id", "default_sales_channel_id"] });
  const channel = store.default_sales_channel_id as string;
  const { country, currency } = PLACEHOLDERS;

  const { result: [region] } = await createRegionsWorkflow(container).run({
    input: {
      regions: [
        {
          name: PLACEHOLDERS.region,
          currency_code: currency,
          countries: [country],
          payment_providers: ["pp_system_default"],
          automatic_taxes: true,
        },
      ],
    },
  });
  await createTaxRegionsWorkflow(container).run({ input: [{ country_code: country, provider_id: "tp_system" }] });

  const { result: [location] } = await createStockLocationsWorkflow(container).run({
    input: {
      locations: [
        { name: "Main location", address: { address_1: "", country_code: country } },
      ],
    },
  });
  await link.create({
    [Modules.STOCK_LOCATION]: { stock_location_id: location.id },
    [Modules.FULFILLMENT]: { fulfillment_provider_id: "manual_manual" },
  });
  await linkSalesChannelsToStockLocationWorkflow(container).run({ input: { id: location.id, add: [channel] } });

  await createLocationFulfillmentSetWorkflow(container).run({
    input: { location_id: location.id, fulfillment_set_data: { name: "Shipping", type: "shipping" } },
  });
  const { data: [{ fulfillment_sets }] } = await query.graph({
    entity: "stock_location",
    fields: ["fulfillment_sets.id"],
    filters: { id: location.id },
  });
  const { result: [zone] } = await createServiceZonesWorkflow(container).run({
    input: {
      data: [
        {
          name: PLACEHOLDERS.region,
          fulfillment_set_id: fulfillment_sets![0]!.id,
          geo_zones: [{ type: "country", country_code: country }],
        },
      ],
    },
  });
  const profile = await shippingProfile({ container, args: [] });
  await createShippingOptionsWorkflow(container).run({
    input: [
      {
        name: "Standard shipping",
        price_type: "flat",
        provider_id: "manual_manual",
        service_zone_id: zone.id,
        shipping_profile_id: profile,
        type: { label: "Standard", description: "Delivery to your door.", code: "standard" },
        prices: [{ currency_code: currency, amount: PLACEHOLDERS.shippingAmount }],
        rules: [
          { attribute: "enabled_in_store", value: "true", operator: "eq" },
          { attribute: "is_return", value: "false", operator: "eq" },
        ],
      },
    ],
  });

  await createProductsWorkflow(container).run({
    input: {
      products: [
        {
          title: "Sample product",
          handle: "sample-product",
          description: "A sample, so that you can see what your shop looks like. Change or delete it in the admin.",
          status: ProductStatus.PUBLISHED,
          shipping_profile_id: profile,
          thumbnail: PLACEHOLDERS.picture,
          images: [{ url: PLACEHOLDERS.picture }],
          options: [{ title: "Size", values: ["Small", "Large"] }],
          variants: ["Small", "Large"].map((size) => ({
            title: size,
            sku: `${SAMPLE_SKU}-${size.toLowerCase()}`,
            options: { Size: size },
            manage_inventory: true,
            prices: [{ currency_code: currency, amount: PLACEHOLDERS.amounts[size as "Small" | "Large"] }],
          })),
          sales_channels: [{ id: channel }],
        },
      ],
    },
  });
  const { data: items } = await query.graph({ entity: "inventory_item", fields: ["id"] });
  await createInventoryLevelsWorkflow(container).run({
    input: {
      inventory_levels: items.map((item) => ({
        inventory_item_id: item.id,
        location_id: location.id,
        stocked_quantity: STOCK,
      })),
    },
  });

  await updateStoresWorkflow(container).run({
    input: {
      selector: { id: store.id },
      update: {
        name: PLACEHOLDERS.title,
        default_region_id: region.id,
        default_location_id: location.id,
        supported_currencies: [{ currency_code: currency, is_default: true }],
      },
    },
  });
}

async function shippingProfile({ container }: ExecArgs): Promise<string> {
  const query = container.resolve(ContainerRegistrationKeys.QUERY);
  const { data: [existing] } = await query.graph({ entity: "shipping_profile", fields: ["id"] });
  if (existing) return existing.id;
  const { result: [created] } = await createShippingProfilesWorkflow(container).run({
    input: { data: [{ name: "Default", type: "default" }] },
  });
  return created.id;
}
