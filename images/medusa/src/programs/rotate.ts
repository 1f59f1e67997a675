/**
 * Sets the owner's password to STORE_ADMIN_PASSWORD, and ends the owner's sessions.
 * Idempotent: with the current password it changes nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect, getValue, inTransaction, setValue } from "./database";
import { adminEmail, required } from "./environment";
import { hashPassword, matchesPassword } from "./personalization";
import { Program, UserError, run } from "./program";

/** Within this time a sign-in that compared the old password still gets its token. */
const SIGN_IN_SECONDS = 2;

async function rotate(program: Program): Promise<never> {
  program.begin("check");
  const [email, password] = [adminEmail(), required("STORE_ADMIN_PASSWORD")];

  program.begin("database");
  const database = await connect(60);
  if ((await getValue(database, "release")) === undefined) {
    throw new UserError("The shop is not set up yet: its installation gives the password.");
  }

  program.begin("password");
  const changed = await inTransaction(database, async () => {
    const found = await database.query(
      `SELECT id, auth_identity_id, provider_metadata->>'password' AS hash FROM provider_identity
       WHERE provider = 'emailpass' AND entity_id = $1 AND deleted_at IS NULL FOR UPDATE`,
      [email],
    );
    const [identity] = found.rows;
    if (identity === undefined) {
      throw new UserError(`The shop has no user ${email} any more: create this user in the admin, then retry.`);
    }
    if (identity.hash !== null && (await matchesPassword(password, identity.hash))) return false;
    await database.query(
      `UPDATE provider_identity SET provider_metadata =
         coalesce(provider_metadata, '{}') || jsonb_build_object('password', $2::text), updated_at = now() WHERE id = $1`,
      [identity.id, await hashPassword(password)],
    );
    // tokens and sessions of this identity that are older end (src/api/middlewares.ts)
    const now = Math.floor(Date.now() / 1000);
    await setValue(database, `sessions-of-${identity.auth_identity_id}-since`, String(now + SIGN_IN_SECONDS));
    return true;
  });
  // a token's time of issue is in whole seconds: the new password opens the shop when the last refused second is over
  if (changed) await sleep((SIGN_IN_SECONDS + 1) * 1000);
  return program.finish(changed ? "password changed" : "password unchanged");
}

void run(rotate);
