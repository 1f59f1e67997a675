// The resolvers of both servers: SQL through pg, prepared once for each connection, and the same JSON as Storefleet.
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import pg from "pg";

const POOL = 20;
const STEPS = ["credentials", "namespace", "isolation", "database", "install", "web", "proof"];
const TIMESTAMP = 1184;

pg.types.setTypeParser(TIMESTAMP, (text) => {
  const [, day, time, fraction] = /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/.exec(text);
  return `${day}T${time}${fraction ? `.${fraction.padEnd(6, "0")}` : ""}+00:00`;
});

export const typeDefs = readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8");
export const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: POOL,
  options: "-c TimeZone=UTC",
});

const encode = (text) => Buffer.from(text).toString("base64url");

function run(client, name, text, values) {
  return client.query({ name, text, values }).then((result) => result.rows);
}

/** The actor of a token: one statement, at each request, as in Storefleet. */
export async function authenticate(header) {
  const hash = createHash("sha256")
    .update((header ?? "").replace(/^Bearer /i, "").trim())
    .digest();
  const [row] = await run(
    pool,
    "actor",
    `SELECT t.id, t.created_by AS user_id, t.account_id, t.scopes, m.role FROM api_tokens t
     JOIN memberships m ON m.account_id = t.account_id AND m.user_id = t.created_by
     WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND coalesce(t.expires_at > now(), true)`,
    [hash],
  );
  if (!row) throw new Error("This API token is unknown, expired or revoked.");
  return row;
}

async function viewer(_parent, _args, { actor }) {
  const [[user], accounts] = await Promise.all([
    run(pool, "user", "SELECT id, email FROM users WHERE id = $1", [actor.user_id]),
    run(pool, "accounts", "SELECT id, name FROM accounts WHERE id = ANY ($1) ORDER BY created_at, id", [
      [actor.account_id],
    ]),
  ]);
  return {
    user: { id: encode(`User:${user.id}`), email: user.email },
    accounts: accounts.map((row) => ({
      id: encode(`Account:${row.id}`),
      name: row.name,
      role: actor.role.toUpperCase(),
    })),
  };
}

const STORE = `s.id, s.account_id, s.slug, s.name, s.engine, s.release, s.plan, s.admin_email, s.country, s.currency,
  s.language, s.status, s.cause, s.created_at, s.ready_at`;

async function stores(_parent, { first }, { actor }) {
  const rows = await run(
    pool,
    "stores",
    `SELECT ${STORE}, a.seq FROM stores s
     JOIN (SELECT id, created_at AS key FROM stores WHERE account_id = $1 AND status <> 'DELETED'
           ORDER BY key DESC, id DESC LIMIT $2) page ON page.id = s.id
     JOIN account_streams a ON a.account_id = s.account_id ORDER BY page.key DESC, page.id DESC`,
    [actor.account_id, first + 1],
  );
  const nodes = rows.slice(0, first).map(store);
  const last = nodes.at(-1);
  return {
    nodes,
    pageInfo: {
      hasNextPage: rows.length > first,
      endCursor: last ? encode(`p1:${last.createdAt}|${rows[nodes.length - 1].id}`) : null,
    },
  };
}

function store(row) {
  return {
    id: encode(`Store:${row.id}`),
    slug: row.slug,
    name: row.name,
    engine: row.engine.toUpperCase(),
    release: row.release,
    plan: row.plan.toUpperCase(),
    adminEmail: row.admin_email,
    country: row.country,
    currency: row.currency,
    status: row.status,
    url: `http://${row.slug}.localhost`,
    createdAt: row.created_at,
  };
}

async function createStore(_parent, { input }, { actor }) {
  const account = actor.account_id;
  const slug = input.name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const slugs = [slug, ...Array.from({ length: 98 }, (_, n) => `${slug}-${n + 2}`)];
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await run(client, "lock", "SELECT id, store_quota FROM accounts WHERE id = $1 FOR NO KEY UPDATE", [account]);
    const [usage] = await run(
      client,
      "usage",
      `SELECT count(*) FILTER (WHERE status <> 'DELETED') AS used,
         count(*) FILTER (WHERE created_at > now() - interval '1 hour') AS created,
         min(created_at) FILTER (WHERE created_at > now() - interval '1 hour') + interval '1 hour' AS next,
         (SELECT array(SELECT slug FROM slugs WHERE slug = ANY ($2) AND (released_at IS NULL
            OR account_id <> $1 AND released_at > now() - interval '30 days'))) AS held,
         (SELECT email FROM users WHERE id = $3) AS email FROM stores WHERE account_id = $1`,
      [account, slugs, actor.user_id],
    );
    const held = new Set(usage.held);
    const id = randomUUID();
    const free = slugs.find((candidate) => !held.has(candidate)) ?? `${slug}-${id.slice(0, 6)}`;
    const [created] = await run(
      client,
      "create",
      `WITH slug AS (
         INSERT INTO slugs (slug, account_id, store_id) VALUES ($3, $2, $1) ON CONFLICT (slug) DO UPDATE
         SET account_id = $2, store_id = $1, released_at = NULL WHERE slugs.released_at IS NOT NULL
           AND (slugs.account_id = $2 OR slugs.released_at <= now() - interval '30 days') RETURNING slug),
       created AS (
         INSERT INTO stores (id, account_id, name, slug, engine, release, plan, admin_email, country, currency,
           language, setup, cluster, status)
         SELECT $1, $2, $4, $3, $5, '2026.11', 'small', $6, 'US', 'USD', 'en-US', 'ready', 'main', 'REQUESTED'
         FROM slug RETURNING *),
       steps AS (
         INSERT INTO steps (store_id, position, name) SELECT created.id, names.position, names.name
         FROM created JOIN unnest($7::text[]) WITH ORDINALITY AS names(name, position) ON true),
       audit AS (
         INSERT INTO audit (account_id, actor, action, subject, detail, address, user_id, credential)
         SELECT account_id, $8, 'store.created', 'store:' || id, jsonb_build_object('slug', slug), '127.0.0.1', $9, $8
         FROM created),
       event AS (
         INSERT INTO events (account_id, store_id, type, status, message)
         SELECT account_id, id, 'STATUS', status, name || ' was requested.' FROM created RETURNING seq)
       SELECT created.*, event.seq, pg_notify('account_changed', created.account_id::text)
       FROM created JOIN event ON true`,
      [id, account, free, input.name, input.engine.toLowerCase(), usage.email, STEPS, `token:${actor.id}`, actor.user_id],
    );
    await client.query("COMMIT");
    return { store: store(created), userErrors: [] };
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

export const resolvers = { Query: { viewer, stores }, Mutation: { createStore } };
