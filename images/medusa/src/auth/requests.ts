/** What holds for every request, before Medusa sees it. */
import type { NextFunction, Request, Response } from "express";

/** Of a request with files, which Medusa keeps in memory several times. The dashboard knows this limit, too. */
export const MAX_UPLOAD_BYTES = 16 * 1024 * 1024;
const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];
/** The owner's files are of this origin: no scripts in them. */
const FILES_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'";

/** `url`: the shop's. */
export function checkRequests(url: URL) {
  return (request: Request, response: Response, next: NextFunction): void => {
    // also where TLS ends before the cluster, and nobody says so: without it Medusa sends no session's cookie
    request.headers["x-forwarded-proto"] = url.protocol.slice(0, -1);
    response.set("X-Frame-Options", "SAMEORIGIN").set("X-Content-Type-Options", "nosniff");
    if (isForeign(request, url.origin)) {
      response.status(403).send("This request comes from a page of another site.");
    } else if (isTooLarge(request)) {
      response.status(413).json({ message: `All files of an upload may have ${MAX_UPLOAD_BYTES / 1024 ** 2} MiB together.` });
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

/** Medusa limits only other bodies. */
function isTooLarge(request: Request): boolean {
  if (!request.is("multipart/*")) return false;
  return !(Number(request.get("Content-Length")) <= MAX_UPLOAD_BYTES);
}

/** For the files that the owner has uploaded, which anybody may open. */
export function restrictFiles(_request: Request, response: Response, next: NextFunction): void {
  response.set("Content-Security-Policy", FILES_POLICY);
  next();
}
