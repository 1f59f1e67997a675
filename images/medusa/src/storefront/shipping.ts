/** How a cart gets to its visitor: by one shipping method for each shipping profile of its products, as Medusa wants it. */
import type { MedusaContainer } from "@medusajs/framework/types";
import { ContainerRegistrationKeys, Modules } from "@medusajs/framework/utils";
import {
  addShippingMethodToCartWorkflow,
  listShippingOptionsForCartWorkflow,
  refreshPaymentCollectionForCartWorkflow,
} from "@medusajs/medusa/core-flows";

export interface ShippingOption {
  id: string;
  name: string;
  amount: number;
}

/** What one shipping method delivers: the products of a cart that have the same shipping profile. */
export interface Delivery {
  profile: string;
  /** Titles. */
  products: string[];
  /** For the cart's address, the cheapest first. */
  options: ShippingOption[];
  /** The option of the cart's method. */
  chosen: string | undefined;
}

interface Item {
  product_id: string;
  product_title: string;
  requires_shipping: boolean;
  variant?: { product?: { shipping_profile?: { id: string } } };
}

interface ShippedCart {
  items?: Item[];
  shipping_methods?: { id: string; shipping_option_id: string }[];
}

const FIELDS = [
  "items.product_id", "items.product_title", "items.requires_shipping", "items.variant.product.shipping_profile.id",
  "shipping_methods.id", "shipping_methods.shipping_option_id",
];

/** None if nothing in the cart has to be sent. */
export async function listDeliveries(container: MedusaContainer, cart: string): Promise<Delivery[]> {
  return (await load(container, cart)).deliveries;
}

/**
 * Gives each delivery a method: the wanted option if the address allows it, else the one that it has, else the cheapest.
 * Methods of products that have left the cart end. `wanted`: ids of options. Returns whether everything can be delivered.
 */
export async function chooseShipping(container: MedusaContainer, cart: string, wanted: string[] = []): Promise<boolean> {
  const { deliveries, methods, withoutProfile } = await load(container, cart);
  await container.resolve(ContainerRegistrationKeys.LINK).create(withoutProfile);
  const chosen = deliveries.flatMap(({ options, chosen: current }) => {
    const option = options.find(({ id }) => wanted.includes(id)) ?? options.find(({ id }) => id === current) ?? options[0];
    return option === undefined ? [] : [option.id];
  });
  const left = methods.filter((method) => !chosen.includes(method.shipping_option_id));
  if (left.length > 0) await container.resolve(Modules.CART).softDeleteShippingMethods(left.map(({ id }) => id));
  const added = chosen.filter((id) => !methods.some((method) => method.shipping_option_id === id));
  if (added.length > 0) {
    await addShippingMethodToCartWorkflow(container).run({
      input: { cart_id: cart, options: added.map((id) => ({ id })) },
    });
  } else if (left.length > 0) {
    await refreshPaymentCollectionForCartWorkflow(container).run({ input: { cart_id: cart } });
  }
  return chosen.length === deliveries.length;
}

/**
 * The admin's form doesn't require a profile, but Medusa refuses orders of products that have to be sent and have none:
 * those belong to the default profile. `withoutProfile`: links that say so.
 */
async function load(container: MedusaContainer, cart: string) {
  const query = container.resolve(ContainerRegistrationKeys.QUERY);
  const { data: [found] } = await query.graph({ entity: "cart", fields: FIELDS, filters: { id: cart } });
  const { items = [], shipping_methods: methods = [] } = (found ?? {}) as unknown as ShippedCart;
  const sent = items.filter((item) => item.requires_shipping && item.variant?.product != null);
  const profileOf = (item: Item) => item.variant!.product!.shipping_profile?.id;
  const standard = sent.every(profileOf) ? undefined : await defaultProfile(container);
  const byProfile = new Map<string, Item[]>();
  for (const item of sent) {
    const profile = profileOf(item) ?? standard;
    if (profile !== undefined) byProfile.set(profile, [...(byProfile.get(profile) ?? []), item]);
  }
  const options = byProfile.size === 0 ? [] : await listOptions(container, cart);
  const deliveries = [...byProfile].map(([profile, products]): Delivery => {
    const own = options.filter((option) => option.profile === profile);
    const method = methods.find(({ shipping_option_id: id }) => own.some((option) => option.id === id));
    const titles = [...new Set(products.map((item) => item.product_title))];
    return { profile, products: titles, options: own, chosen: method?.shipping_option_id };
  });
  const unlinked = new Set(sent.filter((item) => !profileOf(item)).map((item) => item.product_id));
  const withoutProfile = standard === undefined ? [] : [...unlinked].map((id) => ({
    [Modules.PRODUCT]: { product_id: id },
    [Modules.FULFILLMENT]: { shipping_profile_id: standard },
  }));
  return { deliveries, methods, withoutProfile };
}

/** Medusa's own, unless the owner has deleted it. */
async function defaultProfile(container: MedusaContainer): Promise<string | undefined> {
  const profiles = await container.resolve(Modules.FULFILLMENT).listShippingProfiles({}, { order: { created_at: "ASC" } });
  return (profiles.find(({ type }) => type === "default") ?? profiles[0])?.id;
}

/** An option without a price in the cart's currency can't be chosen. */
async function listOptions(container: MedusaContainer, cart: string): Promise<(ShippingOption & { profile: string })[]> {
  const { result } = await listShippingOptionsForCartWorkflow(container).run({ input: { cart_id: cart } });
  type Option = { id: string; name: string; amount?: unknown; shipping_profile_id: string; insufficient_inventory?: boolean };
  return (result as unknown as Option[])
    .filter((option) => option.amount != null && option.insufficient_inventory !== true)
    .map(({ id, name, amount, shipping_profile_id: profile }) => ({ id, name, amount: Number(amount), profile }))
    .sort((one, other) => one.amount - other.amount);
}
