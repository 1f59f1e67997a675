/** The environment variables that the platform sets, validated in a program's first step. */
import { domainToASCII } from "node:url";
import { UserError } from "./program";

/** Throws UserError if it is absent or empty. */
export function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new UserError(`The variable ${name} is not set: the platform has to give it.`);
  return value;
}

/** One line: a title has no line breaks. */
export function storeTitle(): string {
  return required("STORE_TITLE").replace(/[\s\p{Cc}]+/gu, " ").trim();
}

/** In lower case, with the domain in ASCII, as Medusa compares it. */
export function adminEmail(): string {
  const email = required("STORE_ADMIN_EMAIL").trim();
  const at = email.lastIndexOf("@");
  const domain = at > 0 ? domainToASCII(email.slice(at + 1)) : "";
  if (!domain.includes(".") || /\s/.test(email)) {
    throw new UserError(`STORE_ADMIN_EMAIL is no e-mail address that Medusa can keep: ${email}`);
  }
  return `${email.slice(0, at)}@${domain}`.toLowerCase();
}

export function storeCountry(): string {
  return matching("STORE_COUNTRY", /^[A-Z]{2}$/, "two capital letters");
}

export function storeCurrency(): string {
  return matching("STORE_CURRENCY", /^[A-Z]{3}$/, "three capital letters");
}

function matching(name: string, pattern: RegExp, what: string): string {
  const value = required(name);
  if (!pattern.test(value)) throw new UserError(`${name} must be ${what}.`);
  return value;
}

/** postgres://… of the store's database. */
export function databaseUrl(): string {
  const [user, password] = [required("DATABASE_USER"), required("DATABASE_PASSWORD")].map(encodeURIComponent);
  const port = process.env.DATABASE_PORT ?? "5432";
  return `postgres://${user}:${password}@${required("DATABASE_HOST")}:${port}/${required("DATABASE_NAME")}`;
}

/** redis://… of the store's Valkey; undefined if this process does everything itself. */
export function redisUrl(): string | undefined {
  const host = process.env.REDIS_HOST;
  if (!host) return undefined;
  return `redis://:${encodeURIComponent(required("REDIS_PASSWORD"))}@${host}:${process.env.REDIS_PORT ?? "6379"}`;
}
