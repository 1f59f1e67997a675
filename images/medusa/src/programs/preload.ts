import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { MODULES, ROOT } from "./release";

/** After which a request of a probe is answered; a file with many others that it requires takes longer. */
const TURN_MS = 50;

/**
 * Loads the files that Medusa's loaders, and the first order, will load, in the same order. They are most of a start, and
 * need no database. The image's build writes the list.
 */
export async function preload(): Promise<void> {
  let turn = performance.now();
  for (const file of JSON.parse(readFileSync(MODULES, "utf8")) as string[]) {
    require(resolve(ROOT, file));
    if (performance.now() - turn < TURN_MS) continue;
    await setImmediate();
    turn = performance.now();
  }
}
