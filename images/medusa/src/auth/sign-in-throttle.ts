/** After ten wrong passwords in a quarter of an hour a client address gets 429. The counts are this process's. */
import type { MedusaNextFunction, MedusaRequest, MedusaResponse } from "@medusajs/framework/http";

const MAX_FAILURES = 10;
const WINDOW_MS = 15 * 60 * 1000;
const MAX_ADDRESSES = 10_000;

/** By client address: the times of wrong passwords, the oldest first. */
const failures = new Map<string, number[]>();

export function throttleSignIn(request: MedusaRequest, response: MedusaResponse, next: MedusaNextFunction): void {
  if (request.method !== "POST") return next();
  const address = request.ip ?? "";
  const recent = (failures.get(address) ?? []).filter((time) => time > Date.now() - WINDOW_MS);
  if (recent.length >= MAX_FAILURES) {
    response.status(429).json({ message: "Too many wrong passwords. Try again in a quarter of an hour." });
    return;
  }
  response.on("finish", () => {
    if (response.statusCode !== 401) return;
    failures.delete(address); // the map is in the order of the last failure
    failures.set(address, [...recent, Date.now()]);
    if (failures.size > MAX_ADDRESSES) failures.delete(failures.keys().next().value as string);
  });
  next();
}
