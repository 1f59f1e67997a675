/** A visitor's cart: Medusa's, whose id is in a cookie. */
import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http";
import { ContainerRegistrationKeys, MedusaError } from "@medusajs/framework/utils";
import { addToCartWorkflow, createCartWorkflow, updateLineItemInCartWorkflow } from "@medusajs/medusa/core-flows";
import { chooseShipping } from "./shipping";
import type { Shop } from "./shop";

const SECURE = process.env.STORE_URL?.startsWith("https:") === true;
/** With `__Host-` it is never one that another shop of the same domain has set: an address would go into that cart. */
const COOKIE = SECURE ? "__Host-cart" : "cart";
const COOKIE_SECONDS = 30 * 24 * 3600;
export const MAX_QUANTITY = 99;
/** Of a cart or an order: what toLines and toSums need. */
export const SUM_FIELDS = [
  "currency_code", "total", "tax_total", "items.*", "items.total", "items.tax_total", "shipping_methods.total",
  "shipping_methods.tax_total", "shipping_methods.is_tax_inclusive",
];
const FIELDS = ["id", "email", "completed_at", "shipping_address.*", ...SUM_FIELDS];

export interface Line {
  id: string;
  title: string;
  variant: string | null;
  handle: string | null;
  thumbnail: string | null;
  quantity: number;
  /** With tax if its price is one with tax, as on the product's page. */
  amount: number;
}

export interface Sums {
  currency: string;
  /** Items and shipping, as their prices are: with tax or without. */
  items: number;
  shipping: number;
  /** On top of items and shipping. */
  addedTax: number;
  includedTax: number;
  /** Already part of the total. */
  refunded: number;
  total: number;
}

export interface Cart extends Sums {
  id: string;
  email: string | null;
  lines: Line[];
  address: Record<string, string | null>;
}

/** Of the visitor's cookie; a cart of that id may not exist. */
export function cartId(request: MedusaRequest): string | undefined {
  const id: unknown = (request as { cookies?: Record<string, unknown> }).cookies?.[COOKIE];
  return typeof id === "string" && /^cart_\w+$/.test(id) ? id : undefined;
}

/** Undefined without a cookie, or if its cart doesn't exist or was ordered. */
export async function loadCart(request: MedusaRequest): Promise<Cart | undefined> {
  const id = cartId(request);
  if (id === undefined) return undefined;
  const query = request.scope.resolve(ContainerRegistrationKeys.QUERY);
  const { data: [cart] } = await query.graph({ entity: "cart", fields: FIELDS, filters: { id } });
  if (cart === undefined || cart.completed_at) return undefined;
  return {
    id: cart.id,
    email: cart.email ?? null,
    lines: toLines(cart.items ?? []),
    ...toSums(cart),
    address: (cart.shipping_address ?? {}) as unknown as Record<string, string | null>,
  };
}

/** Of a cart or an order. */
export function toSums(sold: object): Sums {
  const { currency_code: currency, total, tax_total: tax, items = [], shipping_methods: methods = [] } = sold as {
    currency_code: string;
    total: unknown;
    tax_total: unknown;
    items?: Priced[];
    shipping_methods?: Priced[];
  };
  const [ofItems, ofShipping] = [items, methods].map((all) => all.reduce((sum, one) => sum + amountOf(one), 0));
  // not from the total: a refund lowers it
  const addedTax = [...items, ...methods].reduce((sum, one) => sum + (one.is_tax_inclusive ? 0 : Number(one.tax_total)), 0);
  return {
    currency,
    items: ofItems!,
    shipping: ofShipping!,
    addedTax,
    includedTax: Number(tax) - addedTax,
    refunded: ofItems! + ofShipping! + addedTax - Number(total),
    total: Number(total),
  };
}

interface Priced {
  total: unknown;
  tax_total: unknown;
  is_tax_inclusive: boolean;
}

function amountOf({ total, tax_total: tax, is_tax_inclusive: included }: Priced): number {
  return Number(total) - (included ? 0 : Number(tax));
}

/** Of a cart or an order. */
export function toLines(items: unknown[]): Line[] {
  return (items as (Record<string, unknown> & Priced)[]).map((item) => ({
    id: item.id as string,
    title: (item.product_title ?? item.title) as string,
    variant: (item.variant_title ?? null) as string | null,
    handle: (item.product_handle ?? null) as string | null,
    thumbnail: (item.thumbnail ?? null) as string | null,
    quantity: Number(item.quantity),
    amount: amountOf(item),
  }));
}

export function countItems(cart: Cart | undefined): number {
  return cart?.lines.reduce((sum, line) => sum + line.quantity, 0) ?? 0;
}

/** Puts a variant into the visitor's cart, which is created if needed. Throws MedusaError, for example without stock. */
export async function addItem(
  request: MedusaRequest, response: MedusaResponse, shop: Shop, variant: string, quantity: number,
): Promise<void> {
  if (variant === "") throw new MedusaError(MedusaError.Types.NOT_FOUND, "The form names no variant.");
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
  await chooseShipping(request.scope, id);
}

/** `quantity` 0 removes the line. Throws MedusaError. */
export async function setQuantity(request: MedusaRequest, cart: Cart, line: string, quantity: number): Promise<void> {
  if (!cart.lines.some(({ id }) => id === line)) return;
  await updateLineItemInCartWorkflow(request.scope).run({
    input: { cart_id: cart.id, item_id: line, update: { quantity } },
  });
  await chooseShipping(request.scope, cart.id);
}

function setCookie(response: MedusaResponse, id: string): void {
  response.cookie(COOKIE, id, { ...cookieOptions(), maxAge: COOKIE_SECONDS * 1000 });
}

export function forgetCart(response: MedusaResponse): void {
  response.clearCookie(COOKIE, cookieOptions());
}

function cookieOptions() {
  return { httpOnly: true, sameSite: "lax" as const, path: "/", secure: SECURE };
}
