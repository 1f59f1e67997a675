/**
 * The shop's server: Medusa with its admin, and the storefront (src/api). It listens at once, and answers 503 until the
 * shop is installed and Medusa has started.
 */
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { MedusaContainer } from "@medusajs/framework/types";
import morgan from "morgan";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { assets } from "../storefront/assets";
import { connect, getValue } from "./database";
import { databaseUrl, required } from "./environment";
import { UserError } from "./program";
import { ROOT, release } from "./release";

const PORT = 8080;
/** For requests that are under way when the server is stopped; less than the pod's grace period. */
const SHUTDOWN_SECONDS = 25;
/** While web starts, a request for readiness is answered up to this much later: the shop then opens at once. */
const READY_WAIT_MS = 1500;

interface Medusa {
  container: MedusaContainer;
  shutdown: () => Promise<void>;
}

let medusa: Medusa | undefined;

// query strings have the keys of orders
morgan.token("url", (request) => (request as Request).originalUrl.split("?")[0]);

async function serve(): Promise<void> {
  for (const name of ["JWT_SECRET", "COOKIE_SECRET", "STORE_URL", "STORE_PROOF_TOKEN"]) required(name);
  process.env.DATABASE_URL = databaseUrl();
  process.chdir(ROOT);
  const app = express();
  app.disable("x-powered-by");
  app.get("/healthz", (_request, response) => void response.send("ok"));
  app.get("/readyz", (_request, response) => void answerReadiness(response));
  app.use(refuseUntilStarted);
  app.use("/storefront", assets());
  const server = createServer(app);
  // longer than an ingress keeps idle connections: it never sends a request on one that is being closed
  server.keepAliveTimeout = 90_000;
  server.listen(PORT);
  stopOnSignals(server);
  medusa = await start(app);
  console.log(JSON.stringify({ level: "info", message: "The shop is open." }));
}

/** Loads Medusa's code while the database starts, and starts Medusa when the shop is installed. */
async function start(app: Express): Promise<Medusa> {
  const installed = waitUntilInstalled();
  const load = (await import("@medusajs/medusa/loaders/index")).default.default;
  const { sendNotFound } = await import("../storefront/handler.js");
  await installed;
  const { container, shutdown } = await load({ directory: ROOT, expressApp: app });
  app.use((request, response) => void sendNotFound(request as never, response as never));
  return { container, shutdown };
}

/** The database must have the schema of this image. */
async function waitUntilInstalled(): Promise<void> {
  const wanted = release();
  for (;;) {
    try {
      const database = await connect(3600);
      try {
        while ((await getValue(database, "release")) !== wanted) await sleep(100);
        return;
      } finally {
        await database.end();
      }
    } catch (error) {
      console.error(`Waiting for the shop's installation: ${(error as Error).message}`);
      await sleep(500);
    }
  }
}

function refuseUntilStarted(_request: Request, response: Response, next: NextFunction): void {
  if (medusa !== undefined) return next();
  response.status(503).set("Retry-After", "5").send("The shop is starting.");
}

async function answerReadiness(response: Response): Promise<void> {
  const deadline = Date.now() + READY_WAIT_MS;
  while (medusa === undefined && Date.now() < deadline) await sleep(50);
  if (medusa === undefined) return void response.status(503).send("starting");
  try {
    const knex = medusa.container.resolve("__pg_connection__");
    await knex.raw("SELECT 1 FROM storefleet LIMIT 1").timeout(1500);
    response.send("ok");
  } catch (error) {
    response.status(503).send(`the database doesn't answer: ${(error as Error).message.slice(0, 200)}`);
  }
}

function stopOnSignals(server: ReturnType<typeof createServer>): void {
  const stop = () => {
    setTimeout(() => process.exit(1), SHUTDOWN_SECONDS * 1000).unref();
    server.close(() => void Promise.resolve(medusa?.shutdown()).finally(() => process.exit(0)));
    server.closeIdleConnections();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
}

serve().catch((error: unknown) => {
  console.error(error instanceof UserError ? error.message : error);
  process.exit(1);
});
