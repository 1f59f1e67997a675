import { defineConfig } from "@medusajs/framework/utils";

const url = process.env.STORE_URL ?? "http://localhost:8080";

/** The same for all stores; what differs comes from the environment. */
export default defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    // a Service in the store's own namespace, without TLS
    databaseDriverOptions: { connection: { ssl: false }, pool: { min: 1, max: 10 } },
    workerMode: (process.env.MEDUSA_WORKER_MODE ?? "shared") as "shared" | "worker" | "server",
    http: {
      storeCors: url,
      adminCors: url,
      authCors: url,
      jwtSecret: process.env.JWT_SECRET,
      cookieSecret: process.env.COOKIE_SECRET,
    },
    cookieOptions: { sameSite: "lax", secure: url.startsWith("https:"), httpOnly: true },
  },
  admin: { path: "/app", backendUrl: "/" },
  modules: [
    {
      resolve: "@medusajs/medusa/file",
      options: {
        providers: [
          {
            resolve: "@medusajs/medusa/file-local",
            id: "local",
            options: { upload_dir: "static", private_upload_dir: "static", backend_url: `${url}/static` },
          },
        ],
      },
    },
  ],
});
