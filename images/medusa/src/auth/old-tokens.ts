/** Ends the sessions and tokens of an owner whose password was rotated (programs/rotate.ts). */
import type { MedusaNextFunction, MedusaRequest, MedusaResponse } from "@medusajs/framework/http";
import { ContainerRegistrationKeys } from "@medusajs/framework/utils";

interface Token {
  auth_identity_id?: string;
  /** Seconds since 1970. */
  iat?: number;
}

export async function refuseOldTokens(request: MedusaRequest, response: MedusaResponse, next: MedusaNextFunction) {
  const token = tokenOf(request);
  if (token?.auth_identity_id === undefined) return next();
  const knex = request.scope.resolve(ContainerRegistrationKeys.PG_CONNECTION);
  const since = await knex("storefleet").where({ name: `sessions-of-${token.auth_identity_id}-since` }).first("value");
  if (since === undefined || (token.iat ?? 0) > Number(since.value)) return next();
  response.status(401).json({ message: "The password has changed. Sign in again." });
}

/** Of the session, or of the Authorization header; Medusa verifies its signature. */
function tokenOf(request: MedusaRequest): Token | undefined {
  const session = (request.session as { auth_context?: Token } | undefined)?.auth_context;
  if (session !== undefined) return session;
  const [scheme, jwt] = (request.get("Authorization") ?? "").split(" ");
  if (scheme?.toLowerCase() !== "bearer" || jwt === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()) as Token;
  } catch {
    return undefined; // no token: Medusa refuses it
  }
}
