/**
 * The shop's server: Medusa with its admin, and the storefront (src/api). It listens at once, and answers 503 until the
 * shop is installed and Medusa has started. With MEDUSA_WORKER_MODE `server` another process with `worker` does the
 * background work; that one answers only the probes.
 */
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { MedusaContainer } from "@medusajs/framework/types";
import Redis from "ioredis";
import morgan from "morgan";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { checkRequests, restrictFiles } from "../auth/requests";
import { assets } from "../storefront/assets";
import { explainError, isPermanent } from "./causes";
import { connect, getValue } from "./database";
import { databaseUrl, redisUrl, required } from "./environment";
import { preload } from "./preload";
import { UserError, reportCause } from "./program";
import { ROOT, release } from "./release";

/** The image's build takes another one: it may share the network of its machine. */
const PORT = Number(process.env.PORT ?? 8080);
/** For requests that are under way when the server is stopped; less than the pod's grace period. */
const SHUTDOWN_SECONDS = 25;
/** While web starts, a request for readiness is answered up to this much later: the shop then opens at once. */
const READY_WAIT_MS = 1500;
/** How often connections that have become idle are closed while the server stops. */
const CLOSE_IDLE_MS = 100;
const IS_WORKER = process.env.MEDUSA_WORKER_MODE === "worker";

interface Medusa {
  container: MedusaContainer;
  shutdown: () => Promise<void>;
}

let stopping = false;
let medusa: Medusa | undefined;
let valkey: Redis | undefined;

// query strings have the keys of orders
morgan.token("url", (request) => (request as Request).originalUrl.split("?")[0]);

async function serve(): Promise<void> {
  for (const name of ["JWT_SECRET", "COOKIE_SECRET", "STORE_URL"]) required(name);
  if (!IS_WORKER) required("STORE_PROOF_TOKEN");
  process.env.DATABASE_URL = databaseUrl();
  const url = redisUrl();
  if (url !== undefined) {
    process.env.REDIS_URL = url;
    valkey = new Redis(url, { maxRetriesPerRequest: null });
    valkey.on("error", (error) => console.error(`Valkey doesn't answer: ${error.message}`));
  }
  process.chdir(ROOT);
  const app = express();
  app.disable("x-powered-by");
  app.use(endConnectionsAtStop);
  app.get("/healthz", (_request, response) => void response.send("ok"));
  app.get("/readyz", (_request, response) => void answerReadiness(response));
  app.use(refuseUntilStarted);
  app.use("/storefront", assets());
  app.use(checkRequests(new URL(required("STORE_URL"))));
  app.use("/static", restrictFiles);
  const server = createServer(app);
  // longer than an ingress keeps idle connections: it never sends a request on one that is being closed
  server.keepAliveTimeout = 90_000;
  server.on("error", fail);
  server.listen(PORT);
  stopOnSignals(server);
  medusa = await start(app);
  console.log(JSON.stringify({ level: "info", message: IS_WORKER ? "The worker is ready." : "The shop is open." }));
}

/** Loads Medusa's code while the database starts, and starts Medusa when the shop is installed. */
async function start(app: Express): Promise<Medusa> {
  await Promise.all([preload(), waitUntilInstalled(), valkey?.ping()]);
  const [{ default: loaders }, { sendNotFound }] = await Promise.all([
    import("@medusajs/medusa/loaders/index"),
    import("../storefront/handler.js"),
  ]);
  const { container, shutdown } = await loaders.default({ directory: ROOT, expressApp: app });
  // a worker has no routes, and nobody reaches it but its probes
  if (!IS_WORKER) app.use((request, response) => void sendNotFound(request as never, response as never));
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
      if (error instanceof UserError || isPermanent(error)) throw error;
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
  } catch (error) {
    return void response.status(503).send(`the database doesn't answer: ${(error as Error).message.slice(0, 200)}`);
  }
  // its client repeats commands until there is a connection
  if (valkey !== undefined && valkey.status !== "ready") return void response.status(503).send("Valkey doesn't answer");
  response.send("ok");
}

/** A client that keeps its connection busy would keep it open. */
function endConnectionsAtStop(_request: Request, response: Response, next: NextFunction): void {
  if (stopping) response.set("Connection", "close");
  next();
}

function stopOnSignals(server: ReturnType<typeof createServer>): void {
  const stop = () => {
    stopping = true;
    setTimeout(() => process.exit(1), SHUTDOWN_SECONDS * 1000).unref();
    server.close(() => void Promise.resolve(medusa?.shutdown()).finally(() => process.exit(0)));
    setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_MS).unref();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
}

function fail(error: unknown): never {
  console.error(error);
  // not the error itself: it may have the words of a visitor
  const cause = error instanceof UserError ? error.message : explainError(error);
  if (cause !== undefined) reportCause(cause);
  process.exit(1);
}

serve().catch(fail);
