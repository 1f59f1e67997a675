/** Ends the sessions and tokens of an owner whose password was rotated (programs/rotate.ts). */
import type { MedusaNextFunction, MedusaRequest, MedusaResponse } from "@medusajs/framework/http";
import { ContainerRegistrationKeys } from "@medusajs/framework/utils";

interface Token {
  auth_identity_id?: string;
  /** Seconds since 1970. */
  iat?: number;
}

/** Where Medusa has already chosen one of the request's tokens, and verified it. */
export async function refuseOldToken(request: MedusaRequest, response: MedusaResponse, next: MedusaNextFunction): Promise<void> {
  if (!(await isOld(request, (request as { auth_context?: Token }).auth_context))) return next();
  response.status(401).json({ message: "The password has changed. Sign in again." });
}

/**
 * Before Medusa chooses one: an old token isn't there for it. It isn't refused, so that the owner can sign in with a browser
 * that still has the old session.
 */
export async function dropOldTokens(request: MedusaRequest, _response: MedusaResponse, next: MedusaNextFunction): Promise<void> {
  const session = request.session as { auth_context?: Token } | undefined;
  if (await isOld(request, session?.auth_context)) delete session!.auth_context;
  if (await isOld(request, tokenOf(request.headers.authorization ?? ""))) delete request.headers.authorization;
  next();
}

async function isOld(request: MedusaRequest, token: Token | undefined): Promise<boolean> {
  if (!token?.auth_identity_id) return false;
  const knex = request.scope.resolve(ContainerRegistrationKeys.PG_CONNECTION);
  const since = await knex("storefleet").where({ name: `sessions-of-${token.auth_identity_id}-since` }).first("value");
  return since !== undefined && (token.iat ?? 0) <= Number(since.value);
}

/** As Medusa's `authenticate` finds it; Medusa also verifies its signature. */
function tokenOf(authorization: string): Token | undefined {
  const [, scheme, jwt] = /(\S+)\s+(\S+)/.exec(authorization) ?? [];
  if (scheme?.toLowerCase() !== "bearer") return undefined;
  try {
    return JSON.parse(Buffer.from(jwt!.split(".")[1] ?? "", "base64url").toString()) as Token;
  } catch {
    return undefined; // no token: Medusa refuses it
  }
}
