/** The store's database without Medusa: the state of the installation, locks, and waiting for the server. */
import { Client } from "@medusajs/framework/pg";
import { setTimeout as sleep } from "node:timers/promises";
import { explainError, isPermanent } from "./causes";
import { databaseUrl } from "./environment";
import { UserError } from "./program";

export type Database = Client;

/** Keys of advisory locks. */
export const LOCKS = { install: 1, proof: 2 };
const CREATE_TABLE = "CREATE TABLE IF NOT EXISTS storefleet (name text PRIMARY KEY, value text NOT NULL)";
const UNDEFINED_TABLE = "42P01";

/** A connection, after waiting for the server. Throws UserError. */
export async function connect(seconds: number): Promise<Database> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const client = new Client({ connectionString: databaseUrl(), connectionTimeoutMillis: 2000 });
    // a connection that breaks later rejects the query that needs it
    client.on("error", () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (isPermanent(error)) throw new UserError(explainError(error));
      if (Date.now() > deadline) {
        throw new UserError(`The database does not answer after ${seconds} s: ${(error as Error).message}`);
      }
      await sleep(200);
    }
  }
}

/** Holds a lock until the connection ends. Throws UserError. */
export async function lock(database: Database, key: number, seconds: number): Promise<void> {
  await database.query(`SET lock_timeout = '${seconds}s'`);
  try {
    await database.query("SELECT pg_advisory_lock($1)", [key]);
  } catch (error) {
    throw new UserError(`Another run of this program did not end within ${seconds} s: ${(error as Error).message}`);
  }
  await database.query("SET lock_timeout = 0");
}

/** Runs `work` in a transaction. */
export async function inTransaction<T>(database: Database, work: () => Promise<T>): Promise<T> {
  await database.query("BEGIN");
  try {
    const result = await work();
    await database.query("COMMIT");
    return result;
  } catch (error) {
    // a lost connection rolls back by itself; the cause is the first error
    await database.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** A value of the table `storefleet`; undefined if there is none, or no such table yet. */
export async function getValue(database: Database, name: string): Promise<string | undefined> {
  try {
    const found = await database.query("SELECT value FROM storefleet WHERE name = $1", [name]);
    return found.rows[0]?.value;
  } catch (error) {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) return undefined;
    throw error;
  }
}

export async function setValue(database: Database, name: string, value: string): Promise<void> {
  await database.query(CREATE_TABLE);
  const upsert = "INSERT INTO storefleet VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
  await database.query(upsert, [name, value]);
}
