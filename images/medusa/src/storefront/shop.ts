/** What every page needs to know about the shop. */
import type { MedusaContainer } from "@medusajs/framework/types";
import { ContainerRegistrationKeys } from "@medusajs/framework/utils";
import { PROOF } from "../programs/proof-data";

export interface Shop {
  name: string;
  salesChannel: string;
  region: string;
  currency: string;
  /** ISO 3166-1 alpha-2, in lower case. */
  countries: string[];
  paymentProviders: string[];
}

/** The owner has deleted what every sale needs. The message is the shop's name. */
export class ShopClosed extends Error {}

const FRESH_MS = 2000;
let cached: { shop: Shop; until: number } | undefined;

/** The owner's changes show after two seconds. Throws ShopClosed. */
export async function loadShop(container: MedusaContainer): Promise<Shop> {
  if (cached !== undefined && cached.until > Date.now()) return cached.shop;
  const query = container.resolve(ContainerRegistrationKeys.QUERY);
  const { data: [store] } = await query.graph({
    entity: "store",
    fields: ["name", "default_sales_channel_id", "default_region_id"],
  });
  const { data: all } = await query.graph({
    entity: "region",
    fields: ["id", "currency_code", "metadata", "countries.iso_2", "payment_providers.id", "payment_providers.is_enabled"],
  });
  const regions = all.filter(({ metadata }) => metadata?.storefleet !== PROOF.metadata.storefleet);
  const region = regions.find(({ id }) => id === store?.default_region_id) ?? regions[0];
  if (store === undefined || region === undefined || !store.default_sales_channel_id) {
    throw new ShopClosed(store?.name ?? "");
  }
  const shop = {
    name: store.name,
    salesChannel: store.default_sales_channel_id,
    region: region.id,
    currency: region.currency_code,
    countries: ((region.countries ?? []) as { iso_2: string }[]).map((country) => country.iso_2).sort(),
    paymentProviders: ((region.payment_providers ?? []) as { id: string; is_enabled: boolean }[])
      .filter((provider) => provider.is_enabled)
      .map((provider) => provider.id),
  };
  cached = { shop, until: Date.now() + FRESH_MS };
  return shop;
}
