import { type Cart, forgetCart, listShippingOptions, loadCart } from "../../storefront/cart";
import { ADDRESS_FIELDS, fillIn, orderKey, placeOrder, problems } from "../../storefront/checkout";
import { type Visit, formOf, isRefusal, page } from "../../storefront/handler";
import { Html, html } from "../../storefront/html";
import { countryName, formatMoney, texts } from "../../storefront/locale";
import { lineList, notice, sumList } from "../../storefront/views";

const LABELS: Record<keyof typeof ADDRESS_FIELDS, string> = {
  first_name: texts.firstName,
  last_name: texts.lastName,
  address_1: texts.address,
  postal_code: texts.postalCode,
  city: texts.city,
};

export const GET = page(async (visit) => {
  const { cart, shop, redirect } = visit;
  if (cart === undefined || cart.lines.length === 0) return redirect("/cart");
  const known = Object.fromEntries(Object.entries(cart.address).map(([name, value]) => [name, value ?? ""]));
  await sendForm(visit, cart, { country_code: shop.countries[0] ?? "", ...known, email: cart.email ?? "" }, [], "");
});

/** Places the order if the form is complete, and the total is the one that the visitor has seen. */
export const POST = page(async (visit) => {
  const { request, response, shop, cart, redirect } = visit;
  if (cart === undefined || cart.lines.length === 0) return redirect("/cart");
  const form = formOf(request);
  const wrong = problems(form, shop);
  if (wrong.length > 0) return sendForm(visit, cart, form, wrong, "");
  try {
    await fillIn(request, cart, form);
    const filled = (await loadCart(request)) ?? cart;
    const provider = shop.paymentProviders.find((id) => id === form.payment) ?? shop.paymentProviders[0];
    if (provider === undefined) return sendForm(visit, filled, form, [], texts.notAvailable);
    if (filled.total.toFixed(2) !== form.total) return sendForm(visit, filled, form, [], texts.totalChanged);
    const order = await placeOrder(request, filled, provider);
    forgetCart(response);
    redirect(`/orders/${order}?key=${orderKey(order)}`);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await sendForm(visit, cart, form, [], texts.orderFailed);
  }
});

async function sendForm(
  { request, shop, send }: Visit, cart: Cart, form: Record<string, string>, wrong: string[], message: string,
): Promise<void> {
  const options = cart.lines.some((line) => line.requiresShipping) ? await listShippingOptions(request, cart.id) : [];
  const chosen = form.shipping_option ?? cart.shippingOption ?? options[0]?.id;
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
${Object.entries(ADDRESS_FIELDS).map(([name, complete]) => field(name, LABELS[name as keyof typeof LABELS], complete))}
<label>${texts.country}<select name="country_code" autocomplete="country">${shop.countries.map(
      (code) => html`<option value="${code}"${code === form.country_code && html` selected`}>${countryName(code)}</option>`,
    )}</select></label></div></fieldset>
${options.length > 0 && html`<fieldset><legend>${texts.delivery}</legend>${options.map(
      ({ id, name, amount }) => html`<label class="choice"><input type="radio" name="shipping_option" value="${id}"${
        id === chosen && html` checked`
      }>${name}<span class="price">${amount === 0 ? texts.free : formatMoney(amount, cart.currency)}</span></label>`,
    )}</fieldset>`}
<fieldset><legend>${texts.payment}</legend>${shop.paymentProviders.map(
      (id, index) => html`<label class="choice"><input type="radio" name="payment" value="${id}"${index === 0 && html` checked`}>${providerName(id)}</label>`,
    )}</fieldset>
</div><div class="card">${lineList(cart.lines, cart.currency)}<br>${sumList(cart)}
<input type="hidden" name="total" value="${cart.total.toFixed(2)}"><button class="block">${texts.placeOrder}</button></div></form>`,
  });
}

/** Medusa's ids are `pp_<provider>_<its id>`; its system provider has no payment of its own. */
function providerName(id: string): string {
  return id === "pp_system_default" ? texts.payOnDelivery : id.replace(/^pp_/, "").replaceAll("_", " ");
}
