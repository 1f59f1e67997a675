import { MAX_QUANTITY, addItem, setQuantity } from "../../storefront/cart";
import { leadToOrder } from "../../storefront/checkout";
import { formOf, isRefusal, page, quantityOf } from "../../storefront/handler";
import { html } from "../../storefront/html";
import { texts } from "../../storefront/locale";
import { lineList, notice, sumList } from "../../storefront/views";

export const GET = page(async (visit) => {
  const { request, cart, send } = visit;
  if (cart === undefined || cart.lines.length === 0) {
    if (await leadToOrder(visit)) return;
    const body = html`<h1>${texts.cart}</h1><p>${texts.cartIsEmpty}</p><p><a class="button" href="/">${texts.continueShopping}</a></p>`;
    send({ title: texts.cart, private: true, body });
    return;
  }
  const controls = (line: { id: string; quantity: number }) => html`<div class="row">
<form method="post" action="/cart" class="row"><input type="hidden" name="action" value="set"><input type="hidden" name="line" value="${line.id}">
<input type="number" name="quantity" value="${line.quantity}" min="0" max="${MAX_QUANTITY}" aria-label="${texts.quantity}"><button class="quiet">${texts.update}</button></form>
<form method="post" action="/cart"><input type="hidden" name="action" value="set"><input type="hidden" name="line" value="${line.id}"><input type="hidden" name="quantity" value="0"><button class="quiet">${texts.remove}</button></form></div>`;
  send({
    title: texts.cart,
    private: true,
    body: html`<h1>${texts.cart}</h1>${request.query.refused !== undefined && notice(texts.notAvailable)}
<div class="split"><div class="card">${lineList(cart.lines, cart.currency, controls)}</div>
<div class="card">${sumList(cart)}<a class="button block" href="/checkout">${texts.toCheckout}</a></div></div>`,
  });
});

/** Adds a variant, or sets a line's quantity. */
export const POST = page(async ({ request, response, shop, cart, redirect }) => {
  const form = formOf(request);
  try {
    if (form.action === "add") {
      await addItem(request, response, shop, form.variant ?? "", quantityOf(form.quantity, 1, MAX_QUANTITY));
    } else if (cart !== undefined) {
      await setQuantity(request, cart, form.line ?? "", quantityOf(form.quantity, 0, MAX_QUANTITY));
    }
  } catch (error) {
    if (!isRefusal(error)) throw error;
    redirect(form.action === "add" ? `/products/${encodeURIComponent(form.handle ?? "")}?refused` : "/cart?refused");
    return;
  }
  redirect("/cart");
});
