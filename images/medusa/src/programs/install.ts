/**
 * Installs a shop in the store's database, or migrates it to the image's release.
 *
 * An empty database gets the dump that was made when the image was built, personalized, in one transaction: a run that is
 * killed leaves nothing, and of several runs at once one installs. A shop of an older image gets Medusa's migrations.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { explain } from "./causes";
import { type Database, LOCKS, connect, getValue, inTransaction, lock, setValue } from "./database";
import { adminEmail, databaseUrl, required, storeCountry, storeCurrency, storeTitle } from "./environment";
import { personalize } from "./personalization";
import { Program, UserError, run } from "./program";
import { DUMP, MEDUSA, release } from "./release";

/** For the database to start, and for another installation to end. Less than the Job's activeDeadlineSeconds. */
const TIMEOUT_SECONDS = 240;

async function install(program: Program): Promise<never> {
  program.begin("check");
  const merchant = {
    title: storeTitle(),
    url: required("STORE_URL"),
    country: storeCountry(),
    currency: storeCurrency(),
    email: adminEmail(),
    password: required("STORE_ADMIN_PASSWORD"),
  };
  const dump = readFileSync(DUMP, "utf8");

  program.begin("database");
  const database = await connect(TIMEOUT_SECONDS);
  await lock(database, LOCKS.install, TIMEOUT_SECONDS);

  const installed = await getValue(database, "release");
  if (installed === undefined) {
    program.begin("restore");
    await inTransaction(database, async () => {
      await restore(database, dump);
      await personalize(database, merchant);
      await setValue(database, "release", release());
    });
    program.finish("installed");
  }
  if (installed !== release()) {
    program.begin("migrate");
    await migrate();
    await setValue(database, "release", release());
    program.finish("upgraded");
  }
  return program.finish("nothing to install");
}

/** The dump empties `search_path` for its session. */
async function restore(database: Database, dump: string): Promise<void> {
  await database.query(dump);
  await database.query("SET search_path TO public");
}

/** Medusa's own command. It can be killed and run again: each migration is a transaction. */
async function migrate(): Promise<void> {
  const child = spawn(process.execPath, [MEDUSA, "db:migrate", "--execute-safe-links"], {
    env: { ...process.env, DATABASE_URL: databaseUrl() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let last = "";
  let cause: string | undefined;
  for (const output of [child.stdout, child.stderr]) {
    createInterface(output).on("line", (line) => {
      process.stderr.write(`${line}\n`);
      cause ??= explain(line);
      if (/"level":"error"|^\w*error: /i.test(line)) last = line;
    });
  }
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0) throw new UserError(`The database could not be migrated: ${cause ?? (messageOf(last) || `exit code ${code}`)}`);
}

/** The first line of the message of a line of Medusa's log. */
function messageOf(line: string): string {
  try {
    return String((JSON.parse(line) as { message: unknown }).message).split("\n")[0]!;
  } catch {
    return line;
  }
}

void run(install);
