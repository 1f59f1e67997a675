/** What holds for every request, before Medusa sees it. */
import type { NextFunction, Request, Response } from "express";

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/** `url`: the shop's. */
export function checkRequests(url: URL) {
  return (request: Request, response: Response, next: NextFunction): void => {
    // also where TLS ends before the cluster, and nobody says so: without it Medusa sends no session's cookie
    request.headers["x-forwarded-proto"] = url.protocol.slice(0, -1);
    response.set("X-Frame-Options", "SAMEORIGIN").set("X-Content-Type-Options", "nosniff");
    if (isForeign(request, url.origin)) {
      response.status(403).send("This request comes from a page of another site.");
    } else {
      next();
    }
  };
}

/**
 * Whether a page of another origin changes something. The shops of other merchants are of the same site: their pages send
 * this shop's cookies, whatever SameSite says.
 */
function isForeign(request: Request, origin: string): boolean {
  if (SAFE_METHODS.includes(request.method)) return false;
  const site = request.get("Sec-Fetch-Site") ?? "none";
  return !["same-origin", "none"].includes(site) || (request.get("Origin") ?? origin) !== origin;
}
