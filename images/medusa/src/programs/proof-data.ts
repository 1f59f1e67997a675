/** The proof's own data, which it deletes: found by their names, and then by the ids that refer to them. */
import type { Database } from "./database";
import { inTransaction } from "./database";
import { UserError } from "./program";

export const PROOF = {
  name: "Storefleet proof",
  handle: "storefleet-proof",
  email: "proof@storefleet.invalid",
  metadata: { storefleet: "proof" },
  currency: "usd",
  price: 1,
  stock: 9,
};

/** What the server created for a proof. */
export interface ProofShop {
  /** Publishable key of the proof's sales channel. */
  key: string;
  region: string;
  variant: string;
  /** Inventory item. */
  item: string;
}

/** Rows by which everything else of a proof is found. */
const ROOTS: [string, string][] = [
  ["sales_channel", `name = '${PROOF.name}' AND description = '${PROOF.handle}'`],
  ["region", `metadata->>'storefleet' = 'proof'`],
  ["stock_location", `metadata->>'storefleet' = 'proof'`],
  ["product", `metadata->>'storefleet' = 'proof'`],
  ["api_key", `title = '${PROOF.name}' AND type = 'publishable'`],
  ["customer", `email = '${PROOF.email}'`],
  ["cart", `email = '${PROOF.email}'`],
  ["order", `email = '${PROOF.email}'`],
];
/** Rows that the proof shares with the shop: links to them aren't followed, and they stay. */
const SHARED = new Set([
  "currency", "fulfillment_provider", "notification_provider", "payment_provider", "region_country", "shipping_profile",
  "store", "store_currency", "tax_provider", "user",
]);
/** A proof has about 60 rows. More would be someone else's. */
const MAX_ROWS = 400;

/** Columns with ids of rows whose names don't say so. */
const MORE_COLUMNS: Record<string, string[]> = { price_preference: ["value"] };
/** Tables whose rows mention ids in a document. */
const DOCUMENTS: Record<string, string> = { workflow_execution: "concat(execution, context)" };

/** By table: its columns with ids of rows. */
type Columns = Map<string, string[]>;

/**
 * Deletes all rows of proofs, also of killed ones: those that a proof's row refers to by an id, or that refer to it.
 * Returns the number of rows. Throws UserError if they would be too many.
 */
export async function deleteProofData(database: Database): Promise<number> {
  const columns = await idColumns(database);
  const deleted = await inTransaction(database, async () => {
    const found = await findRows(database, columns);
    const rows = [...found.values()].reduce((sum, places) => sum + places.size, 0);
    if (rows > MAX_ROWS) throw new UserError(`The proof would delete more than ${MAX_ROWS} rows: it deletes nothing.`);
    for (const [table, places] of found) {
      await database.query(`DELETE FROM ${quote(table)} WHERE ctid = ANY($1::tid[])`, [[...places]]);
    }
    return rows;
  });
  await resetOrderNumbers(database);
  return deleted;
}

/** The first order of the shop is number 1. Without the lock, an order that isn't committed yet could have this number. */
async function resetOrderNumbers(database: Database): Promise<void> {
  const anOrder = 'SELECT FROM "order" LIMIT 1';
  if ((await database.query(anOrder)).rowCount !== 0) return;
  await inTransaction(database, async () => {
    await database.query('LOCK TABLE "order" IN SHARE ROW EXCLUSIVE MODE');
    await database.query(`SELECT setval('order_display_id_seq', 1, false) WHERE NOT EXISTS (${anOrder})`);
  });
}

/** By table: the positions (ctid) of its rows that belong to proofs. */
async function findRows(database: Database, columns: Columns): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  const known = new Set<string>();
  const byIds = [...columns.keys()].filter((table) => !SHARED.has(table)).map((table) => select(table, columns, idCondition(table, columns)));
  let next = await database.query(ROOTS.map(([table, condition]) => select(table, columns, condition)).join(" UNION ALL "));
  for (;;) {
    const fresh: string[] = [];
    for (const { table, place, ids } of next.rows as { table: string; place: string; ids: (string | null)[] }[]) {
      const places = found.get(table) ?? new Set();
      found.set(table, places.add(place));
      ids.forEach((id, index) => {
        if (!id || known.has(id) || !isFollowed(columns.get(table)![index]!)) return;
        known.add(id);
        fresh.push(id);
      });
    }
    if (fresh.length === 0) return found;
    next = await database.query(byIds.join(" UNION ALL "), [fresh]);
  }
}

function select(table: string, columns: Columns, condition: string): string {
  const ids = columns.get(table)!.map((column) => `${quote(column)}::text`).join(", ");
  return `SELECT '${table}' AS table, ctid::text AS place, ARRAY[${ids}] AS ids FROM ${quote(table)} WHERE ${condition}`;
}

function idCondition(table: string, columns: Columns): string {
  const conditions = columns.get(table)!.map((column) => `${quote(column)} = ANY($1::text[])`);
  const document = DOCUMENTS[table];
  if (document !== undefined) {
    conditions.push(`EXISTS (SELECT FROM unnest($1::text[]) AS id WHERE strpos(${document}, id) > 0)`);
  }
  return conditions.join(" OR ");
}

/** Ids of shared rows, such as pp_system_default, lead to the shop's own rows. */
function isFollowed(column: string): boolean {
  return !SHARED.has(column.replace(/_id$/, "")) && column !== "provider_id";
}

/** The columns `id`, `product_id`, `resource_id` …; all of them are texts. */
async function idColumns(database: Database): Promise<Columns> {
  const { rows } = await database.query(
    `SELECT c.table_name AS "table", array_agg(c.column_name::text ORDER BY c.column_name) AS columns
     FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
     WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type IN ('text', 'character varying')
       AND (c.column_name = 'id' OR c.column_name LIKE '%\\_id') GROUP BY 1`,
  );
  return new Map(
    (rows as { table: string; columns: string[] }[]).map(({ table, columns }) => [
      table,
      [...columns, ...(MORE_COLUMNS[table] ?? [])],
    ]),
  );
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
