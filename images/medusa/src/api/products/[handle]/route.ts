import { MAX_QUANTITY } from "../../../storefront/cart";
import { type Product, type Variant, findProduct } from "../../../storefront/catalog";
import { NotFound, page } from "../../../storefront/handler";
import { Html, html } from "../../../storefront/html";
import { formatMoney, texts } from "../../../storefront/locale";
import { notice, picture, price } from "../../../storefront/views";

/** A product, with a form that puts a variant into the cart. */
export const GET = page(async ({ request, shop, send }) => {
  const product = await findProduct(request.scope, shop, request.params.handle!);
  if (product === undefined) throw new NotFound();
  const pictures = product.images.length > 0 ? product.images : [product.thumbnail];
  send({
    title: product.title,
    body: html`<div class="product">
<div>${pictures.map((url, index) => picture(url, index === 0 ? product.title : "", index === 0))}</div>
<div><h1>${product.title}</h1>
${request.query.refused !== undefined && notice(texts.notAvailable)}
${form(product, shop.currency)}
<p class="description">${product.description}</p></div>
</div>`,
  });
});

function form(product: Product, currency: string): Html {
  const buyable = product.variants.filter((variant) => variant.price !== null && variant.inStock);
  const [only] = product.variants;
  if (only === undefined || buyable.length === 0) {
    return html`<p>${only !== undefined && price(only, currency)}</p><p><strong>${texts.soldOut}</strong></p>`;
  }
  return html`<form method="post" action="/cart">
<input type="hidden" name="action" value="add"><input type="hidden" name="handle" value="${product.handle}">
<fieldset>${
    product.variants.length === 1
      ? html`<input type="hidden" name="variant" value="${only.id}"><p>${price(only, currency)}</p>`
      : product.variants.map((variant) => choice(variant, currency, variant === buyable[0]))
  }</fieldset>
<fieldset><label>${texts.quantity}<input type="number" name="quantity" value="1" min="1" max="${MAX_QUANTITY}" required></label></fieldset>
<button>${texts.addToCart}</button></form>`;
}

function choice(variant: Variant, currency: string, checked: boolean): Html {
  const buyable = variant.price !== null && variant.inStock;
  return html`<label class="choice"><input type="radio" name="variant" value="${variant.id}" required${
    checked && html` checked`
  }${!buyable && html` disabled`}>${variant.title}<span class="price">${
    buyable ? formatMoney(variant.price, currency) : texts.soldOut
  }</span></label>`;
}
