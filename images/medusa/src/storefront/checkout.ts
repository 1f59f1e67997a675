/** From a filled form to an order. */
import { createHmac } from "node:crypto";
import { domainToASCII } from "node:url";
import type { MedusaContainer } from "@medusajs/framework/types";
import { ContainerRegistrationKeys, Modules, validateEmail } from "@medusajs/framework/utils";
import {
  completeCartWorkflow,
  createPaymentCollectionForCartWorkflow,
  createPaymentSessionsWorkflow,
  updateCartWorkflow,
} from "@medusajs/medusa/core-flows";
import { addressProblems, toAddress } from "./address";
import { type Cart, cartId, forgetCart } from "./cart";
import type { Visit } from "./handler";
import { chooseShipping } from "./shipping";
import type { Shop } from "./shop";

/** Fields of the form with this prefix are shipping options. */
export const SHIPPING = "shipping_";
const LOCK_SECONDS = { timeout: 30, expire: 20 };

/** One checkout of a cart at a time: Medusa's workflows for payments take no lock, and delete each other's payment. */
export function withCheckoutLock<T>(container: MedusaContainer, cart: string, work: () => Promise<T>): Promise<T> {
  return container.resolve(Modules.LOCKING).execute(`checkout of ${cart}`, work, LOCK_SECONDS);
}

/** Redirects a visitor whose cart was ordered: the answer with the order didn't arrive, or went to another tab. */
export async function leadToOrder({ request, response, redirect }: Visit): Promise<boolean> {
  const query = request.scope.resolve(ContainerRegistrationKeys.QUERY);
  const filters = { cart_id: cartId(request) ?? "" };
  const { data: [found] } = await query.graph({ entity: "order_cart", fields: ["order_id"], filters });
  if (found === undefined) return false;
  forgetCart(response);
  redirect(`/orders/${found.order_id}?key=${orderKey(found.order_id)}`);
  return true;
}

/** Names of missing or wrong fields. */
export function problems(form: Record<string, string>, shop: Shop): string[] {
  const wrong = addressProblems(form, shop.countries);
  if (toEmail(form.email ?? "") === undefined) wrong.push("email");
  return wrong;
}

/** With the domain in ASCII, as Medusa wants it; undefined if Medusa doesn't take it. */
function toEmail(text: string): string | undefined {
  const at = text.lastIndexOf("@");
  try {
    return validateEmail(`${text.slice(0, at)}@${domainToASCII(text.slice(at + 1))}`);
  } catch {
    return undefined;
  }
}

/**
 * Stores e-mail address, addresses and shipping methods in the cart: then its total is final. Returns whether everything can
 * be delivered. Throws MedusaError.
 */
export async function fillIn(container: MedusaContainer, cart: Cart, form: Record<string, string>): Promise<boolean> {
  const address = toAddress(form);
  await updateCartWorkflow(container).run({
    input: { id: cart.id, email: toEmail(form.email!)!, shipping_address: address, billing_address: address },
  });
  const options = Object.entries(form).filter(([name]) => name.startsWith(SHIPPING)).map(([, option]) => option);
  return chooseShipping(container, cart.id, options);
}

/** Throws MedusaError: nothing was ordered then. It can be called again. */
export async function placeOrder(container: MedusaContainer, cart: Cart, provider: string): Promise<void> {
  let collection = await paymentCollection(container, cart);
  if (collection === undefined) {
    await createPaymentCollectionForCartWorkflow(container).run({ input: { cart_id: cart.id } });
    collection = await paymentCollection(container, cart);
  }
  await createPaymentSessionsWorkflow(container).run({
    input: { payment_collection_id: collection!, provider_id: provider },
  });
  await completeCartWorkflow(container).run({ input: { id: cart.id } });
}

/** Its id; a checkout that failed has left one. */
async function paymentCollection(container: MedusaContainer, cart: Cart): Promise<string | undefined> {
  const query = container.resolve(ContainerRegistrationKeys.QUERY);
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
