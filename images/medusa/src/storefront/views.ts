/** Parts of pages: products, lines and sums. */
import type { Line, Sums } from "./cart";
import type { Product, Variant } from "./catalog";
import { Html, html } from "./html";
import { formatMoney, texts } from "./locale";

export function picture(url: string | null, alt: string, eager = false): Html {
  return url === null
    ? html`<span class="picture"></span>`
    : html`<img class="picture" src="${url}" alt="${alt}" width="600" height="600"${eager ? "" : html` loading="lazy"`}>`;
}

export function tile(product: Product, currency: string, eager: boolean): Html {
  const priced = product.variants.filter((variant) => variant.price !== null);
  const cheapest = priced.sort((one, other) => one.price! - other.price!)[0];
  const varies = priced.some((variant) => variant.price !== cheapest!.price);
  return html`<li><a class="tile" href="/products/${encodeURIComponent(product.handle)}">
${picture(product.thumbnail, "", eager)}
<span class="name">${product.title}</span>
<span class="soft">${cheapest !== undefined && html`${varies && `${texts.from} `}${price(cheapest, currency)}`}</span>
</a></li>`;
}

export function price(variant: Variant, currency: string): Html {
  if (variant.price === null) return html`${texts.notAvailable}`;
  const before = variant.originalPrice;
  return html`<span class="price">${formatMoney(variant.price, currency)}${
    before !== null && html` <s>${formatMoney(before, currency)}</s>`
  }</span>`;
}

export function lineList(lines: Line[], currency: string, controls?: (line: Line) => Html): Html {
  return html`<ul class="lines">${lines.map(
    (line) => html`<li>${picture(line.thumbnail, "")}
<div><strong>${
      line.handle === null ? line.title : html`<a href="/products/${encodeURIComponent(line.handle)}">${line.title}</a>`
    }</strong>
<div class="soft">${line.variant}${controls === undefined && ` × ${line.quantity}`}</div>${controls?.(line)}</div>
<span class="price">${formatMoney(line.amount, currency)}</span></li>`,
  )}</ul>`;
}

/** Less than the smallest unit of any currency. */
const NOTHING = 0.0001;

export function sumList(sums: Sums): Html {
  const money = (amount: number) => formatMoney(amount, sums.currency);
  const rows: [string, number][] = [[texts.subtotal, sums.items], [texts.shipping, sums.shipping]];
  if (sums.addedTax > NOTHING) rows.push([texts.taxes, sums.addedTax]);
  if (sums.refunded > NOTHING) rows.push([texts.refunded, -sums.refunded]);
  return html`<dl class="sums">${rows.map(([name, amount]) => html`<dt>${name}</dt><dd>${money(amount)}</dd>`)}
<dt class="total">${texts.total}</dt><dd class="total">${money(sums.total)}</dd>${
    sums.includedTax > NOTHING && html`<dt class="soft">${texts.includesTax}</dt><dd class="soft">${money(sums.includedTax)}</dd>`
  }</dl>`;
}

export function notice(text: string): Html {
  return html`<p class="notice" role="alert">${text}</p>`;
}
