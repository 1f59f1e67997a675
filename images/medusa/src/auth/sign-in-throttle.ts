/** After ten wrong passwords in a quarter of an hour a client address gets 429. The counts are this process's. */
import type { MedusaNextFunction, MedusaRequest, MedusaResponse } from "@medusajs/framework/http";

const MAX_FAILURES = 10;
const WINDOW_MS = 15 * 60 * 1000;
const MAX_ADDRESSES = 10_000;

/** By client address: the times of wrong passwords, and of requests that have no answer yet. */
const failures = new Map<string, number[]>();

/** For all methods: Medusa also signs in with GET. */
export function throttleSignIn(request: MedusaRequest, response: MedusaResponse, next: MedusaNextFunction): void {
  const [address, now] = [request.ip ?? "", Date.now()];
  const recent = (failures.get(address) ?? []).filter((time) => time > now - WINDOW_MS);
  if (recent.length >= MAX_FAILURES) {
    response.status(429).json({ message: "Too many wrong passwords. Try again in a quarter of an hour." });
    return;
  }
  failures.delete(address); // the map is in the order of the last request
  failures.set(address, [...recent, now]); // before the answer: guesses may be sent at once
  if (failures.size > MAX_ADDRESSES) failures.delete(failures.keys().next().value as string);
  response.on("finish", () => {
    if (response.statusCode !== 401) forget(address, now);
  });
  next();
}

function forget(address: string, time: number): void {
  const times = failures.get(address) ?? [];
  if (times.includes(time)) times.splice(times.indexOf(time), 1);
  if (times.length === 0) failures.delete(address);
}
