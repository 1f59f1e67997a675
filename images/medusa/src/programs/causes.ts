/** What PostgreSQL, Valkey, Node.js and Medusa report, as sentences for the shop's owner. The first that fits. */
const CAUSES: [RegExp, string][] = [
  [
    /password authentication failed|no pg_hba\.conf entry|\b28(P01|000)\b/,
    "The database refuses the user of Medusa: its password is not the one the database was made with.",
  ],
  [/database "[^"]*" does not exist|\b3D000\b/, "The database server has no database of this shop."],
  [/No space left on device|\b53100\b|\bENOSPC\b/, "A disk of the store is full: choose a larger plan, or have the operator free space."],
  [/heap out of memory/, "Medusa has run out of memory: choose a larger plan, or tell the operator."],
  [/out of shared memory|\b53200\b/, "The database has run out of memory: choose a larger plan, or tell the operator."],
  [/too many clients|remaining connection slots|\b53300\b/, "The database has no free connection: retry in a moment."],
  [/\bEADDRINUSE\b/, "Another program has the port of the shop: tell the operator."],
  [/\bWRONGPASS\b|\bNOAUTH\b/, "Valkey refuses the password of the shop: tell the operator."],
  [
    /\b(ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|57P0[123])\b|Connection terminated|Timeout acquiring a connection/,
    "The database does not answer.",
  ],
];
/** What waiting doesn't change. */
const PERMANENT = new Set(["28P01", "28000", "3D000"]);

/** The cause that a program's output or an error's message speaks of. */
export function explain(text: string): string | undefined {
  return CAUSES.find(([pattern]) => pattern.test(text))?.[1];
}

/** The same of an error, with its code. */
export function explainError(error: unknown): string | undefined {
  const { code, message } = error as { code?: string; message?: string };
  return explain(`${code ?? ""} ${message ?? ""}`);
}

export function isPermanent(error: unknown): boolean {
  return PERMANENT.has((error as { code?: string }).code ?? "");
}
