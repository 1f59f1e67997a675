import { PAGE_SIZE, listProducts } from "../storefront/catalog";
import { page, quantityOf } from "../storefront/handler";
import { html } from "../storefront/html";
import { texts } from "../storefront/locale";
import { tile } from "../storefront/views";

const EAGER = 4;

/** The home page: all products, the newest first. */
export const GET = page(async ({ request, shop, send }) => {
  const number = quantityOf(request.query.page as string | undefined, 1, 10_000);
  const products = await listProducts(request.scope, shop, number);
  const shown = products.slice(0, PAGE_SIZE);
  send({
    title: "",
    body: html`<h1>${texts.products}</h1>
${shown.length === 0 ? html`<p>${texts.noProducts}</p>` : html`<ul class="grid">${shown.map((product, index) => tile(product, shop.currency, index < EAGER))}</ul>`}
<div class="pages"><span>${number > 1 && html`<a href="/?page=${number - 1}">← ${texts.newer}</a>`}</span>
<span>${products.length > PAGE_SIZE && html`<a href="/?page=${number + 1}">${texts.older} →</a>`}</span></div>`,
  });
});
