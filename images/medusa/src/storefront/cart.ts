/** A visitor's cart: Medusa's, whose id is in a cookie. */
import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http";
import { ContainerRegistrationKeys } from "@medusajs/framework/utils";
import {
  addShippingMethodToCartWorkflow,
  addToCartWorkflow,
  createCartWorkflow,
  listShippingOptionsForCartWorkflow,
  updateLineItemInCartWorkflow,
} from "@medusajs/medusa/core-flows";
import type { Shop } from "./shop";

const COOKIE = "cart";
const COOKIE_SECONDS = 30 * 24 * 3600;
export const MAX_QUANTITY = 99;
const FIELDS = [
  "id", "email", "currency_code", "completed_at", "total", "item_total", "item_subtotal", "shipping_total",
  "shipping_subtotal", "tax_total", "discount_total", "items.id", "items.title", "items.product_title",
  "items.product_handle", "items.variant_id", "items.variant_title", "items.thumbnail", "items.quantity",
  "items.unit_price", "items.total", "items.requires_shipping", "shipping_methods.id", "shipping_methods.name",
  "shipping_methods.shipping_option_id", "shipping_methods.amount", "shipping_address.*",
];

export interface Line {
  id: string;
  title: string;
  variant: string | null;
  handle: string | null;
  thumbnail: string | null;
  quantity: number;
  total: number;
  requiresShipping: boolean;
}

export interface Sums {
  currency: string;
  items: number;
  discount: number;
  shipping: number;
  tax: number;
  total: number;
}

export interface Cart extends Sums {
  id: string;
  email: string | null;
  lines: Line[];
  shippingOption: string | null;
  address: Record<string, string | null>;
}

export interface ShippingOption {
  id: string;
  name: string;
  amount: number;
}

/** Undefined without a cookie, or if its cart doesn't exist or was ordered. */
export async function loadCart(request: MedusaRequest): Promise<Cart | undefined> {
  const id: unknown = (request as { cookies?: Record<string, unknown> }).cookies?.[COOKIE];
  if (typeof id !== "string" || !/^cart_\w+$/.test(id)) return undefined;
  const query = request.scope.resolve(ContainerRegistrationKeys.QUERY);
  const { data: [cart] } = await query.graph({ entity: "cart", fields: FIELDS, filters: { id } });
  if (cart === undefined || cart.completed_at) return undefined;
  const { totals } = { totals: cart as unknown as Record<string, unknown> };
  return {
    id: cart.id,
    email: cart.email ?? null,
    currency: cart.currency_code,
    lines: toLines(cart.items ?? []),
    ...toSums(totals),
    shippingOption: cart.shipping_methods?.[0]?.shipping_option_id ?? null,
    address: (cart.shipping_address ?? {}) as unknown as Record<string, string | null>,
  };
}

/** Of a cart or an order. */
export function toSums(totals: Record<string, unknown>): Omit<Sums, "currency"> {
  return {
    items: Number(totals.item_total ?? 0),
    discount: Number(totals.discount_total ?? 0),
    shipping: Number(totals.shipping_total ?? 0),
    tax: Number(totals.tax_total ?? 0),
    total: Number(totals.total ?? 0),
  };
}

/** Of a cart or an order. */
export function toLines(items: unknown[]): Line[] {
  return (items as Record<string, unknown>[]).map((item) => ({
    id: item.id as string,
    title: (item.product_title ?? item.title) as string,
    variant: (item.variant_title ?? null) as string | null,
    handle: (item.product_handle ?? null) as string | null,
    thumbnail: (item.thumbnail ?? null) as string | null,
    quantity: Number(item.quantity),
    total: Number(item.total),
    requiresShipping: item.requires_shipping === true,
  }));
}

export function countItems(cart: Cart | undefined): number {
  return cart?.lines.reduce((sum, line) => sum + line.quantity, 0) ?? 0;
}

/** Puts a variant into the visitor's cart, which is created if needed. Throws MedusaError, for example without stock. */
export async function addItem(
  request: MedusaRequest, response: MedusaResponse, shop: Shop, variant: string, quantity: number,
): Promise<void> {
  const items = [{ variant_id: variant, quantity }];
  let id = (await loadCart(request))?.id;
  if (id === undefined) {
    const country = shop.countries[0];
    const { result } = await createCartWorkflow(request.scope).run({
      input: {
        region_id: shop.region,
        sales_channel_id: shop.salesChannel,
        currency_code: shop.currency,
        // so that the cart already has shipping options and taxes
        ...(country === undefined ? {} : { shipping_address: { country_code: country } }),
        items,
      },
    });
    id = result.id;
    setCookie(response, id);
  } else {
    await addToCartWorkflow(request.scope).run({ input: { cart_id: id, items } });
  }
  await chooseShipping(request, id);
}

/** `quantity` 0 removes the line. Throws MedusaError. */
export async function setQuantity(request: MedusaRequest, cart: Cart, line: string, quantity: number): Promise<void> {
  if (!cart.lines.some(({ id }) => id === line)) return;
  await updateLineItemInCartWorkflow(request.scope).run({
    input: { cart_id: cart.id, item_id: line, update: { quantity } },
  });
}

/** The options for the cart's address, the cheapest first. */
export async function listShippingOptions(request: MedusaRequest, cart: string): Promise<ShippingOption[]> {
  const { result } = await listShippingOptionsForCartWorkflow(request.scope).run({ input: { cart_id: cart } });
  return (result as unknown as { id: string; name: string; amount: unknown; insufficient_inventory?: boolean }[])
    .filter((option) => option.insufficient_inventory !== true)
    .map(({ id, name, amount }) => ({ id, name, amount: Number(amount) }))
    .sort((one, other) => one.amount - other.amount);
}

/** Sets the shipping method: the wanted option if the address allows it, else the cheapest. */
export async function chooseShipping(request: MedusaRequest, cart: string, wanted?: string): Promise<void> {
  const options = await listShippingOptions(request, cart);
  const option = options.find(({ id }) => id === wanted) ?? options[0];
  if (option === undefined) return;
  await addShippingMethodToCartWorkflow(request.scope).run({ input: { cart_id: cart, options: [{ id: option.id }] } });
}

function setCookie(response: MedusaResponse, id: string): void {
  response.cookie(COOKIE, id, { ...cookieOptions(), maxAge: COOKIE_SECONDS * 1000 });
}

export function forgetCart(response: MedusaResponse): void {
  response.clearCookie(COOKIE, cookieOptions());
}

function cookieOptions() {
  const secure = process.env.STORE_URL?.startsWith("https:") === true;
  return { httpOnly: true, sameSite: "lax" as const, path: "/", secure };
}
