import { timingSafeEqual } from "node:crypto";
import { ContainerRegistrationKeys } from "@medusajs/framework/utils";
import { provincesOf } from "../../../storefront/address";
import { SUM_FIELDS, toLines, toSums } from "../../../storefront/cart";
import { orderKey } from "../../../storefront/checkout";
import { NotFound, page } from "../../../storefront/handler";
import { html } from "../../../storefront/html";
import { countryName, formatDate, texts } from "../../../storefront/locale";
import { lineList, sumList } from "../../../storefront/views";

const FIELDS = ["id", "display_id", "created_at", "email", "shipping_address.*", ...SUM_FIELDS];

/** An order that was just placed; its link has the order's key. */
export const GET = page(async ({ request, send }) => {
  const id = request.params.id!;
  const [given, wanted] = [request.query.key, orderKey(id)].map((key) => Buffer.from(String(key)));
  if (given!.length !== wanted!.length || !timingSafeEqual(given!, wanted!)) throw new NotFound();
  const query = request.scope.resolve(ContainerRegistrationKeys.QUERY);
  const { data: [order] } = await query.graph({ entity: "order", fields: FIELDS, filters: { id } });
  if (order === undefined) throw new NotFound();
  const address = order.shipping_address;
  const country = address?.country_code ?? "";
  const province = provincesOf(country).find(({ code }) => code === address?.province)?.name;
  send({
    title: `${texts.order} ${order.display_id}`,
    private: true,
    body: html`<h1>${texts.thanks}</h1>
<div class="split"><div class="card"><h2>${texts.order} ${order.display_id}</h2><p class="soft">${formatDate(order.created_at as string)}</p>
${lineList(toLines(order.items ?? []), order.currency_code)}<br>${sumList(toSums(order))}</div>
<div class="card"><h2>${texts.shippingAddress}</h2><p>${address?.first_name} ${address?.last_name}<br>${address?.address_1}<br>
${address?.postal_code} ${address?.city}${province !== undefined && `, ${province}`}<br>${country && countryName(country)}</p>
<h2>${texts.contact}</h2><p>${order.email}</p><p><a class="button" href="/">${texts.continueShopping}</a></p></div></div>`,
  });
});
