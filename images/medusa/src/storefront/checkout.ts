/** From a filled form to an order. */
import { createHmac } from "node:crypto";
import type { MedusaRequest } from "@medusajs/framework/http";
import {
  completeCartWorkflow,
  createPaymentCollectionForCartWorkflow,
  createPaymentSessionsWorkflow,
  updateCartWorkflow,
} from "@medusajs/medusa/core-flows";
import { type Cart, chooseShipping } from "./cart";
import type { Shop } from "./shop";

/** Fields of the address form, in its order, with the browser's autocomplete names. */
export const ADDRESS_FIELDS = {
  first_name: "given-name",
  last_name: "family-name",
  address_1: "street-address",
  postal_code: "postal-code",
  city: "address-level2",
} as const;

/** Names of missing or wrong fields. */
export function problems(form: Record<string, string>, shop: Shop): string[] {
  const wrong: string[] = Object.keys(ADDRESS_FIELDS).filter((name) => !form[name]);
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(form.email ?? "")) wrong.push("email");
  if (!shop.countries.includes(form.country_code ?? "")) wrong.push("country_code");
  return wrong;
}

/** Stores e-mail address, addresses and shipping method in the cart: then its total is final. Throws MedusaError. */
export async function fillIn(request: MedusaRequest, cart: Cart, form: Record<string, string>): Promise<void> {
  const address = {
    ...Object.fromEntries(Object.keys(ADDRESS_FIELDS).map((name) => [name, form[name]])),
    country_code: form.country_code,
    phone: form.phone || undefined,
  };
  await updateCartWorkflow(request.scope).run({
    input: { id: cart.id, email: form.email!.toLowerCase(), shipping_address: address, billing_address: address },
  });
  await chooseShipping(request, cart.id, form.shipping_option);
}

/** Places the order. Returns its id. Throws MedusaError: nothing was ordered then. It can be called again. */
export async function placeOrder(request: MedusaRequest, cart: Cart, provider: string): Promise<string> {
  let collection = await paymentCollection(request, cart);
  if (collection === undefined) {
    await createPaymentCollectionForCartWorkflow(request.scope).run({ input: { cart_id: cart.id } });
    collection = await paymentCollection(request, cart);
  }
  await createPaymentSessionsWorkflow(request.scope).run({
    input: { payment_collection_id: collection!, provider_id: provider },
  });
  const { result } = await completeCartWorkflow(request.scope).run({ input: { id: cart.id } });
  return result.id;
}

/** Its id; a checkout that failed has left one. */
async function paymentCollection(request: MedusaRequest, cart: Cart): Promise<string | undefined> {
  const query = request.scope.resolve("query");
  const { data: [found] } = await query.graph({
    entity: "cart",
    fields: ["payment_collection.id"],
    filters: { id: cart.id },
  });
  return found?.payment_collection?.id;
}

/** A key for the page of an order: ids alone aren't secret enough for names and addresses. */
export function orderKey(id: string): string {
  return createHmac("sha256", process.env.COOKIE_SECRET!).update(`order ${id}`).digest("base64url").slice(0, 32);
}
