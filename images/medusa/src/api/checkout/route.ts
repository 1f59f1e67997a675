import { ADDRESS_FIELDS, type AddressField, hasPostalCodes, provincesOf } from "../../storefront/address";
import { type Cart, cartId, loadCart } from "../../storefront/cart";
import { SHIPPING, fillIn, leadToOrder, placeOrder, problems, withCheckoutLock } from "../../storefront/checkout";
import { type Visit, formOf, isRefusal, page } from "../../storefront/handler";
import { Html, html } from "../../storefront/html";
import { countryName, formatMoney, texts } from "../../storefront/locale";
import { type Delivery, listDeliveries } from "../../storefront/shipping";
import { lineList, notice, sumList } from "../../storefront/views";

const LABELS: Record<AddressField, string> = {
  first_name: texts.firstName,
  last_name: texts.lastName,
  address_1: texts.address,
  postal_code: texts.postalCode,
  city: texts.city,
};

export const GET = page(async (visit) => {
  const { cart, shop } = visit;
  if (cart === undefined || cart.lines.length === 0) return leave(visit);
  const known = Object.fromEntries(Object.entries(cart.address).map(([name, value]) => [name, value ?? ""]));
  await sendForm(visit, cart, { country_code: shop.countries[0] ?? "", ...known, email: cart.email ?? "" });
});

/** Places the order if the form is complete, and the total is the one that the visitor has seen. */
export const POST = page(async (visit) => {
  const id = cartId(visit.request);
  if (id === undefined) return visit.redirect("/cart");
  await withCheckoutLock(visit.request.scope, id, () => order(visit));
});

async function order(visit: Visit): Promise<void> {
  const { request, shop } = visit;
  const container = request.scope;
  const cart = await loadCart(request);
  if (cart === undefined || cart.lines.length === 0) return leave(visit);
  const form = formOf(request);
  const wrong = problems(form, shop);
  if (wrong.length > 0) return sendForm(visit, cart, form, "", wrong);
  try {
    const isDeliverable = await fillIn(container, cart, form);
    const filled = (await loadCart(request)) ?? cart;
    if (!isDeliverable) return await sendForm(visit, filled, form, texts.noDelivery);
    if (shop.paymentProviders.length === 0) return await sendForm(visit, filled, form, texts.notAvailable);
    const provider = shop.paymentProviders.find((name) => name === form.payment);
    // also if the owner has disabled the chosen one
    if (provider === undefined) return await sendForm(visit, filled, form, texts.choosePayment);
    if (filled.total.toFixed(2) !== form.total) return await sendForm(visit, filled, form, texts.totalChanged);
    await placeOrder(container, filled, provider);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return sendForm(visit, cart, form, texts.orderFailed);
  }
  await leave(visit);
}

/** To the cart's order, or to the cart if there is none. */
async function leave(visit: Visit): Promise<void> {
  if (!(await leadToOrder(visit))) visit.redirect("/cart");
}

async function sendForm(
  { request, shop, send }: Visit, cart: Cart, form: Record<string, string>, message = "", wrong: string[] = [],
): Promise<void> {
  const deliveries = await listDeliveries(request.scope, cart.id);
  const field = (name: string, label: string, autocomplete: string, type = "text", required = true): Html => {
    const bad = wrong.includes(name);
    return html`<label>${label}<input name="${name}" type="${type}" autocomplete="${autocomplete}" value="${form[name] ?? ""}" maxlength="200"${
      required && html` required`
    }${bad && html` aria-invalid="true" aria-describedby="wrong-${name}"`}>${
      bad && html`<span class="error" id="wrong-${name}">${name === "email" && form.email ? texts.invalidEmail : texts.missing}</span>`
    }</label>`;
  };
  send({
    title: texts.checkout,
    private: true,
    status: wrong.length > 0 || message !== "" ? 422 : 200,
    body: html`<h1>${texts.checkout}</h1>${message !== "" && notice(message)}
<form method="post" action="/checkout" class="split"><div class="card">
<fieldset><legend>${texts.contact}</legend><div class="fields">${field("email", texts.email, "email", "email")}${field("phone", texts.phone, "tel", "tel", false)}</div></fieldset>
<fieldset><legend>${texts.shippingAddress}</legend><div class="fields">
${Object.entries(ADDRESS_FIELDS).map(([name, complete]) =>
      field(name, LABELS[name as AddressField], complete, "text", name !== "postal_code" || shop.countries.every(hasPostalCodes)),
    )}${provinceField(shop.countries, form.province ?? "", wrong.includes("province"))}
<label>${texts.country}<select name="country_code" autocomplete="country">${shop.countries.map(
      (code) => html`<option value="${code}"${code === form.country_code && html` selected`}>${countryName(code)}</option>`,
    )}</select></label></div></fieldset>
${deliveries.map((delivery) => deliveryField(delivery, deliveries.length > 1, cart.currency, form[SHIPPING + delivery.profile]))}
<fieldset><legend>${texts.payment}</legend>${shop.paymentProviders.map(
      (id, index) => html`<label class="choice"><input type="radio" name="payment" value="${id}"${(form.payment === undefined ? index === 0 : id === form.payment) && html` checked`} required>${providerName(id)}</label>`,
    )}</fieldset>
</div><div class="card">${lineList(cart.lines, cart.currency)}<br>${sumList(cart)}
<input type="hidden" name="total" value="${cart.total.toFixed(2)}"><button class="block">${texts.placeOrder}</button></div></form>`,
  });
}

/** Of all countries of the shop, because the page has no JavaScript. */
function provinceField(countries: string[], chosen: string, isWrong: boolean): Html | false {
  const all = countries.map((country) => ({ country, provinces: provincesOf(country) }));
  if (all.every(({ provinces }) => provinces.length === 0)) return false;
  return html`<label>${texts.province}<select name="province" autocomplete="address-level1"${countries.length === 1 && html` required`}${
    isWrong && html` aria-invalid="true" aria-describedby="wrong-province"`
  }><option value=""></option>${all.map(({ country, provinces }) => {
    const options = provinces.map(
      ({ code, name }) => html`<option value="${code}"${code === chosen && html` selected`}>${name}</option>`,
    );
    if (countries.length === 1 || provinces.length === 0) return options;
    return html`<optgroup label="${countryName(country)}">${options}</optgroup>`;
  })}</select>${isWrong && html`<span class="error" id="wrong-province">${texts.missing}</span>`}</label>`;
}

/** `named`: which products it is, because the cart has others, too. */
function deliveryField({ profile, products, options, chosen }: Delivery, named: boolean, currency: string, given?: string): Html {
  const checked = options.find(({ id }) => id === given)?.id ?? chosen ?? options[0]?.id;
  return html`<fieldset><legend>${texts.delivery}${named && `: ${products.join(", ")}`}</legend>${options.map(
    ({ id, name, amount }) => html`<label class="choice"><input type="radio" name="${SHIPPING}${profile}" value="${id}"${
      id === checked && html` checked`
    }>${name}<span class="price">${amount === 0 ? texts.free : formatMoney(amount, currency)}</span></label>`,
  )}${options.length === 0 && html`<p>${texts.noDelivery}</p>`}</fieldset>`;
}

/** Medusa's ids are `pp_<provider>_<its id>`; its system provider has no payment of its own. */
function providerName(id: string): string {
  return id === "pp_system_default" ? texts.payOnDelivery : id.replace(/^pp_/, "").replaceAll("_", " ");
}
