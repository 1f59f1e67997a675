/** Makes the shop of the image's dump a merchant's: replaces every placeholder, and adds the owner. */
import { randomBytes } from "node:crypto";
import scrypt from "scrypt-kdf";
import { ulid } from "ulid";
import { LANGUAGE, LOCALE } from "../storefront/locale";
import type { Database } from "./database";
import { UserError } from "./program";

/** Values that nothing else in the dump has. Country and currency must be ones that Medusa knows. */
export const PLACEHOLDERS = {
  title: "@title@",
  region: "@region@",
  picture: "http://store.invalid/storefront/sample-product.svg",
  origin: "http://store.invalid",
  country: "aq",
  currency: "zmw",
  shippingAmount: 5,
  amounts: { Small: 19, Large: 24 },
};
export const SAMPLE_SKU = "storefleet-sample";
/** Where shops show prices without tax, and add it in the cart. Elsewhere the law or the custom is a price with tax. */
const PRICES_WITHOUT_TAX = new Set(["AS", "CA", "GU", "MP", "PR", "UM", "US", "VI"]);
/** Where the dump has texts that visitors read. */
const TEXT_COLUMNS = [
  ["product", "title"], ["product", "description"], ["product_option", "title"], ["product_option_value", "value"],
  ["product_variant", "title"], ["shipping_option", "name"],
] as const;
/** By language, then by the text of the dump. */
const TRANSLATIONS: Record<string, Record<string, string>> = {
  de: {
    "Sample product": "Beispielprodukt",
    "A sample, so that you can see what your shop looks like. Change or delete it in the admin.":
      "Ein Beispiel, damit Sie sehen, wie Ihr Shop aussieht. Ändern oder löschen Sie es im Adminbereich.",
    Size: "Größe",
    Small: "Klein",
    Large: "Groß",
    "Standard shipping": "Standardversand",
  },
};
/** What Medusa's provider emailpass uses. */
const SCRYPT = { logN: 15, r: 8, p: 1 };

export interface Merchant {
  title: string;
  url: string;
  /** ISO 3166-1 alpha-2 and ISO 4217, in capital letters. */
  country: string;
  currency: string;
  email: string;
  password: string;
}

/** Within a transaction of the caller's. */
export async function personalize(database: Database, merchant: Merchant): Promise<void> {
  const [country, currency] = [merchant.country.toLowerCase(), merchant.currency.toLowerCase()];
  await addCurrency(database, merchant.currency);
  const moved = await database.query(
    `UPDATE region_country new SET region_id = old.region_id FROM region_country old
     WHERE old.iso_2 = $1 AND new.iso_2 = $2`,
    [PLACEHOLDERS.country, country],
  );
  if (moved.rowCount !== 1) throw new UserError(`Medusa does not know the country ${merchant.country}.`);
  if (country !== PLACEHOLDERS.country) {
    await database.query("UPDATE region_country SET region_id = NULL WHERE iso_2 = $1", [PLACEHOLDERS.country]);
  }
  for (const table of ["tax_region", "stock_location_address", "geo_zone"]) {
    await database.query(`UPDATE ${table} SET country_code = $2 WHERE country_code = $1`, [PLACEHOLDERS.country, country]);
  }
  for (const table of ["store_currency", "region", "price"]) {
    await database.query(`UPDATE ${table} SET currency_code = $2 WHERE currency_code = $1`, [
      PLACEHOLDERS.currency,
      currency,
    ]);
  }
  if (currency !== PLACEHOLDERS.currency) {
    // Medusa has one for euros already
    await database.query("DELETE FROM price_preference WHERE attribute = 'currency_code' AND value = $1", [currency]);
    await database.query("UPDATE price_preference SET value = $2 WHERE attribute = 'currency_code' AND value = $1", [
      PLACEHOLDERS.currency,
      currency,
    ]);
  }
  await database.query("UPDATE price_preference SET is_tax_inclusive = $1", [!PRICES_WITHOUT_TAX.has(merchant.country)]);
  // 19 yen would be next to nothing
  const factor = fractionDigits(merchant.currency) === 0 ? 100 : 1;
  await database.query(
    `UPDATE price SET amount = amount * $1::numeric,
       raw_amount = jsonb_set(raw_amount, '{value}', to_jsonb((amount * $1::numeric)::text))`,
    [factor],
  );
  const name = new Intl.DisplayNames([LOCALE], { type: "region" }).of(merchant.country) ?? merchant.country;
  for (const table of ["region", "service_zone"]) {
    await database.query(`UPDATE ${table} SET name = $2 WHERE name = $1`, [PLACEHOLDERS.region, name]);
  }
  const translations = JSON.stringify(TRANSLATIONS[LANGUAGE.split("-")[0]!] ?? {});
  for (const [table, column] of TEXT_COLUMNS) {
    await database.query(`UPDATE ${table} SET ${column} = $1::jsonb ->> ${column} WHERE $1::jsonb ? ${column}`, [translations]);
  }
  await database.query("UPDATE store SET name = $1", [merchant.title]);
  for (const [table, column] of [["image", "url"], ["product", "thumbnail"]]) {
    await database.query(`UPDATE ${table} SET ${column} = replace(${column}, $1, $2)`, [PLACEHOLDERS.origin, merchant.url]);
  }
  const token = `pk_${randomBytes(32).toString("hex")}`;
  const redacted = `${token.slice(0, 6)}***${token.slice(-3)}`;
  await database.query("UPDATE api_key SET token = $1, redacted = $2 WHERE type = 'publishable'", [token, redacted]);
  await addOwner(database, merchant);
}

/** A currency that Medusa doesn't know. */
async function addCurrency(database: Database, code: string): Promise<void> {
  const parts = new Intl.NumberFormat("en", { style: "currency", currency: code }).formatToParts(1);
  const symbol = parts.find((part) => part.type === "currency")?.value ?? code;
  const name = new Intl.DisplayNames(["en"], { type: "currency" }).of(code) ?? code;
  await database.query(
    `INSERT INTO currency (code, symbol, symbol_native, name, decimal_digits, rounding, raw_rounding)
     VALUES ($1, $2, $2, $3, $4, 0, '{"value": "0", "precision": 20}') ON CONFLICT DO NOTHING`,
    [code.toLowerCase(), symbol, name, fractionDigits(code)],
  );
}

function fractionDigits(currency: string): number {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** A user with an identity for Medusa's provider emailpass. */
async function addOwner(database: Database, { email, password }: Merchant): Promise<void> {
  const [user, identity] = [`user_${ulid()}`, `authid_${ulid()}`];
  await database.query('INSERT INTO "user" (id, email) VALUES ($1, $2)', [user, email]);
  await database.query("INSERT INTO auth_identity (id, app_metadata) VALUES ($1, $2)", [
    identity,
    JSON.stringify({ user_id: user }),
  ]);
  await database.query(
    `INSERT INTO provider_identity (id, entity_id, provider, auth_identity_id, provider_metadata)
     VALUES ($1, $2, 'emailpass', $3, $4)`,
    [`provid_${ulid()}`, email, identity, JSON.stringify({ password: await hashPassword(password) })],
  );
}

export async function hashPassword(password: string): Promise<string> {
  return (await scrypt.kdf(password, SCRYPT)).toString("base64");
}

export async function matchesPassword(password: string, hash: string): Promise<boolean> {
  return scrypt.verify(Buffer.from(hash, "base64"), password);
}
