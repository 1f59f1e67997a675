/** The store's language: texts, prices and dates. */
const ENGLISH = {
  addToCart: "Add to cart",
  address: "Street and number",
  backToShop: "Back to the shop",
  cart: "Cart",
  cartIsEmpty: "Your cart is empty.",
  checkout: "Checkout",
  choosePayment: "Please choose how to pay.",
  city: "City",
  closed: "This shop can't sell anything at the moment.",
  closedReason: "It has no region, or no default sales channel. If this is your shop: choose them in the admin, under Settings.",
  contact: "Contact",
  continueShopping: "Continue shopping",
  country: "Country",
  delivery: "Delivery",
  email: "E-mail",
  firstName: "First name",
  free: "Free",
  from: "from",
  includesTax: "Includes tax of",
  invalidEmail: "This isn't an e-mail address.",
  lastName: "Last name",
  missing: "Please fill in this field.",
  newer: "Newer products",
  noDelivery: "Not everything in the cart can be delivered to this address at the moment.",
  noProducts: "There is nothing in this shop yet.",
  notAvailable: "Not available at the moment.",
  notFound: "This page doesn't exist.",
  older: "More products",
  order: "Order",
  orderFailed: "The order couldn't be placed. Nothing was ordered; please try again.",
  payOnDelivery: "Pay on delivery",
  payment: "Payment",
  phone: "Phone (optional)",
  placeOrder: "Place order",
  postalCode: "Postal code",
  products: "Products",
  province: "State or province",
  quantity: "Quantity",
  refunded: "Refunded",
  remove: "Remove",
  retryLater: "Something went wrong here. Please try again in a moment.",
  shipping: "Shipping",
  shippingAddress: "Delivery address",
  skipToContent: "Skip to the content",
  soldOut: "Sold out",
  subtotal: "Subtotal",
  taxes: "Taxes",
  thanks: "Thank you for your order",
  toCheckout: "Go to checkout",
  total: "Total",
  totalChanged: "The total has changed. Please look at it again, then place the order.",
  update: "Update",
};
export type Texts = typeof ENGLISH;
const GERMAN: Texts = {
  addToCart: "In den Warenkorb",
  address: "Straße und Hausnummer",
  backToShop: "Zurück zum Shop",
  cart: "Warenkorb",
  cartIsEmpty: "Der Warenkorb ist leer.",
  checkout: "Kasse",
  choosePayment: "Bitte wählen Sie die Zahlungsart.",
  city: "Ort",
  closed: "Dieser Shop kann zurzeit nichts verkaufen.",
  closedReason: "Er hat keine Region oder keinen Standard-Vertriebskanal. Wenn das Ihr Shop ist: Wählen Sie sie in der Verwaltung unter „Settings“.",
  contact: "Kontakt",
  continueShopping: "Weiter einkaufen",
  country: "Land",
  delivery: "Lieferung",
  email: "E-Mail",
  firstName: "Vorname",
  free: "Kostenlos",
  from: "ab",
  includesTax: "Enthält Steuer von",
  invalidEmail: "Das ist keine E-Mail-Adresse.",
  lastName: "Nachname",
  missing: "Bitte ausfüllen.",
  newer: "Neuere Produkte",
  noDelivery: "Nicht alles im Warenkorb kann zurzeit an diese Adresse geliefert werden.",
  noProducts: "In diesem Shop gibt es noch nichts.",
  notAvailable: "Zurzeit nicht erhältlich.",
  notFound: "Diese Seite gibt es nicht.",
  older: "Weitere Produkte",
  order: "Bestellung",
  orderFailed: "Die Bestellung hat nicht geklappt. Es wurde nichts bestellt; bitte versuchen Sie es noch einmal.",
  payOnDelivery: "Zahlung bei Lieferung",
  payment: "Zahlung",
  phone: "Telefon (optional)",
  placeOrder: "Zahlungspflichtig bestellen",
  postalCode: "Postleitzahl",
  products: "Produkte",
  province: "Bundesstaat oder Provinz",
  quantity: "Anzahl",
  refunded: "Erstattet",
  remove: "Entfernen",
  retryLater: "Hier ging etwas schief. Bitte versuchen Sie es gleich noch einmal.",
  shipping: "Versand",
  shippingAddress: "Lieferadresse",
  skipToContent: "Zum Inhalt",
  soldOut: "Ausverkauft",
  subtotal: "Zwischensumme",
  taxes: "Steuern",
  thanks: "Danke für Ihre Bestellung",
  toCheckout: "Zur Kasse",
  total: "Gesamtsumme",
  totalChanged: "Die Summe hat sich geändert. Bitte prüfen Sie sie, und bestellen Sie dann.",
  update: "Aktualisieren",
};
const TEXTS: Record<string, Texts> = { en: ENGLISH, de: GERMAN };

/** BCP 47: of prices, dates and names of countries. */
export const LOCALE = process.env.STORE_LANGUAGE || "en-US";
/** Of the texts: the store's if they are translated, else English. */
export const LANGUAGE = LOCALE.split("-")[0]! in TEXTS ? LOCALE : "en";
export const texts = TEXTS[LANGUAGE.split("-")[0]!]!;

const moneyFormats = new Map<string, Intl.NumberFormat>();
const dateFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: "long" });
const countryNames = new Intl.DisplayNames([LANGUAGE], { type: "region" });

/** `amount`: in units of the currency, such as 19.9; Medusa also has objects that convert to numbers. */
export function formatMoney(amount: unknown, currency: string): string {
  let format = moneyFormats.get(currency);
  if (format === undefined) {
    format = new Intl.NumberFormat(LOCALE, { style: "currency", currency });
    moneyFormats.set(currency, format);
  }
  return format.format(Number(amount));
}

export function formatDate(date: string | Date): string {
  return dateFormat.format(new Date(date));
}

/** `code`: ISO 3166-1 alpha-2, in lower case as Medusa has it. */
export function countryName(code: string): string {
  return countryNames.of(code.toUpperCase()) ?? code.toUpperCase();
}
