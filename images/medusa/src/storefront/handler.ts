/** Route handlers of pages: they get the shop and the visitor's cart, and answer errors with a page. */
import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http";
import { ContainerRegistrationKeys, MedusaError } from "@medusajs/framework/utils";
import { type Cart, countItems, loadCart } from "./cart";
import { type Html, html } from "./html";
import { texts } from "./locale";
import { type Page, sendPage } from "./page";
import { type Shop, ShopClosed, loadShop } from "./shop";

export interface Visit {
  request: MedusaRequest;
  response: MedusaResponse;
  shop: Shop;
  cart: Cart | undefined;
  send: (page: Page) => void;
  /** After a form: the browser gets the page, and reloading it doesn't send the form again. */
  redirect: (path: string) => void;
}

export class NotFound extends Error {}

/** A route's handler. */
export function page(handle: (visit: Visit) => Promise<void>) {
  return async (request: MedusaRequest, response: MedusaResponse): Promise<void> => {
    let name = "";
    try {
      const [shop, cart] = await Promise.all([loadShop(request.scope), loadCart(request)]);
      name = shop.name;
      // PostgreSQL has no text with this character
      if (Object.values(request.params).some((value) => value.includes("\0"))) throw new NotFound();
      const send = (content: Page) => sendPage(response, shop.name, countItems(cart), content);
      await handle({ request, response, shop, cart, send, redirect: (path) => response.redirect(303, path) });
    } catch (error) {
      sendError(request, response, name, error);
    }
  };
}

/** For paths that no route has. */
export const sendNotFound = page(async () => {
  throw new NotFound();
});

function sendError(request: MedusaRequest, response: MedusaResponse, shopName: string, error: unknown): void {
  const name = error instanceof ShopClosed ? error.message : shopName;
  const send = (status: number, title: string, more: Html) =>
    sendPage(response, name, 0, { title, status, private: true, body: html`<h1>${title}</h1><p>${more}</p>` });
  const back = html`<a href="/">${texts.backToShop}</a>`;
  if (error instanceof NotFound) return send(404, texts.notFound, back);
  if (error instanceof ShopClosed) return send(503, texts.closed, html`${texts.closedReason}`);
  request.scope.resolve(ContainerRegistrationKeys.LOGGER).error(`${request.method} ${request.path}`, error as Error);
  send(500, texts.retryLater, back);
}

/** Whether the visitor's input is the reason, such as more pieces than there are. */
export function isRefusal(error: unknown): boolean {
  const { NOT_ALLOWED, INVALID_DATA, NOT_FOUND, CONFLICT } = MedusaError.Types;
  const type = (error as { type?: string }).type;
  return type !== undefined && [NOT_ALLOWED, INVALID_DATA, NOT_FOUND, CONFLICT].includes(type as never);
}

/** The fields of a form, trimmed, without the character that PostgreSQL can't store. */
export function formOf(request: MedusaRequest): Record<string, string> {
  const body = (request.body ?? {}) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, typeof value === "string" ? value.replaceAll("\0", "").trim().slice(0, 300) : ""]),
  );
}

/** A number of pieces from a form: 1 if it isn't one, or `least` to `most`. */
export function quantityOf(text: string | undefined, least: number, most: number): number {
  const number = Number.parseInt(text ?? "", 10);
  return Number.isNaN(number) ? 1 : Math.min(Math.max(number, least), most);
}

