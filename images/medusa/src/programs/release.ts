/** What this image has: its release, the dump, the list of what a start loads, and Medusa's command. */
import { resolve } from "node:path";

/** Medusa's working directory; compiled programs are in its src/programs. */
export const ROOT = resolve(__dirname, "../..");
export const DUMP = resolve(ROOT, "dump.sql");
/** A list of files, relative to ROOT. */
export const MODULES = resolve(ROOT, "modules.json");
export const MEDUSA = require.resolve("@medusajs/cli/cli.js");

/** Of Medusa: all its packages have the same version, and its migrations change with it. */
export function release(): string {
  return (require("@medusajs/medusa/package.json") as { version: string }).version;
}
