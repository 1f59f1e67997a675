import { defineConfig } from "@medusajs/framework/utils";
import { MAX_UPLOAD_BYTES } from "./src/auth/requests";

const url = process.env.STORE_URL ?? "http://localhost:8080";
const secure = url.startsWith("https:");
/** Of Valkey, which connects the server with the worker; one process that does both needs none. */
const redisUrl = process.env.REDIS_URL;

/** Events, workflows, cache and locks in Valkey. Medusa's own ones are in the memory of the process. */
const shared = [
  { resolve: "@medusajs/medusa/event-bus-redis", options: { redisUrl } },
  { resolve: "@medusajs/medusa/workflow-engine-redis", options: { redis: { redisUrl } } },
  { resolve: "@medusajs/medusa/cache-redis", options: { redisUrl } },
  {
    resolve: "@medusajs/medusa/locking",
    options: {
      providers: [
        { resolve: "@medusajs/medusa/locking-redis", id: "locking-redis", is_default: true, options: { redisUrl } },
      ],
    },
  },
];

/** The same for all stores; what differs comes from the environment. */
export default defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    // a Service in the store's own namespace, without TLS
    databaseDriverOptions: { connection: { ssl: false }, pool: { min: 1, max: 10 } },
    redisUrl, // for sessions
    workerMode: (process.env.MEDUSA_WORKER_MODE ?? "shared") as "shared" | "worker" | "server",
    http: {
      storeCors: url,
      adminCors: url,
      authCors: url,
      jwtSecret: process.env.JWT_SECRET,
      cookieSecret: process.env.COOKIE_SECRET,
    },
    // a cookie `__Host-…` is never one that another shop of the same domain has set
    sessionOptions: { name: secure ? "__Host-session" : "session" },
    cookieOptions: { sameSite: "lax", secure, httpOnly: true },
  },
  admin: { path: "/app", backendUrl: "/", maxUploadFileSize: MAX_UPLOAD_BYTES },
  modules: [
    ...(redisUrl === undefined ? [] : shared),
    {
      resolve: "@medusajs/medusa/file",
      options: {
        providers: [
          {
            resolve: "./src/modules/files",
            id: "local",
            options: { upload_dir: "static", private_upload_dir: "static", backend_url: `${url}/static` },
          },
        ],
      },
    },
  ],
});
