/**
 * The proof: looks at the shop's home page, and buys a product through the Store API, from the cart to the order. Then it
 * cancels the order, and deletes everything that it made. The last line is the receipt.
 *
 * It can be killed at any point and run again: it starts with deleting the data of earlier proofs. It can be started
 * before the installation is finished, and waits until the shop is ready.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { GENERATOR } from "../storefront/generator";
import { type Database, LOCKS, connect, lock } from "./database";
import { required } from "./environment";
import { Program, UserError, run } from "./program";
import { PROOF, type ProofShop, deleteProofData } from "./proof-data";

/** For the installation to finish. Less than the Job's activeDeadlineSeconds. */
const TIMEOUT_SECONDS = 600;
const REQUEST_MS = 30_000;

async function prove(program: Program): Promise<never> {
  program.begin("check");
  const shopper = new Shopper(required("STORE_SERVICE"), required("STORE_URL"));
  const token = { "X-Storefleet-Proof": required("STORE_PROOF_TOKEN") };

  program.begin("wait");
  await waitUntilReady(shopper);
  program.resetTimer();

  program.begin("database");
  const database = await connect(30);
  await lock(database, LOCKS.proof, 60);
  await deleteProofData(database);
  try {
    program.begin("shop");
    await openHomePage(shopper);

    program.begin("product");
    const shop = (await shopper.send("The product can't be created", "POST", "/storefleet/proof", {}, token)) as ProofShop;
    shopper.key = shop.key;
    const { products } = await shopper.send("Products can't be listed", "GET", `/store/products?region_id=${shop.region}&fields=handle,variants.id`);
    if (products.length !== 1 || products[0].handle !== PROOF.handle) throw new UserError("The product isn't listed.");

    program.begin("cart");
    const { cart } = await shopper.send("The cart can't be created", "POST", "/store/carts", {
      region_id: shop.region,
      email: PROOF.email,
      items: [{ variant_id: shop.variant, quantity: 1 }],
    });

    program.begin("checkout");
    const { payment_collection: payment } = await shopper.send("The shop takes no payment", "POST", "/store/payment-collections", { cart_id: cart.id });
    await shopper.send("The payment can't be chosen", "POST", `/store/payment-collections/${payment.id}/payment-sessions`, { provider_id: "pp_system_default" });
    const bought = await shopper.send("The order is refused", "POST", `/store/carts/${cart.id}/complete`, {});
    if (bought.type !== "order") throw new UserError(`The order is refused: ${bought.error?.message ?? bought.type}`);

    program.begin("order");
    await verifyOrder(database, bought.order.id, shop);

    program.begin("cancel");
    await shopper.send("The order can't be cancelled", "POST", "/storefleet/proof", { cancel: bought.order.id }, token);
    if ((await reserved(database, shop)) !== 0) throw new UserError("The cancelled order did not give its product back to the stock.");
  } finally {
    await deleteProofData(database);
  }
  program.begin("clean");
  const remaining = await deleteProofData(database);
  if (remaining > 0) throw new UserError(`The proof could not delete its data: there are still ${remaining} rows.`);
  return program.finishWithReceipt();
}

async function openHomePage(shopper: Shopper): Promise<void> {
  const what = "The shop's home page does not open";
  const { status, text } = await shopper.request(what, "GET", "/");
  if (!text.includes(`content="${GENERATOR}"`)) throw new UserError(status === 200 ? "The shop's home page is another page." : `${what}: ${status}`);
  // storefront/handler.ts: ShopClosed
  if (status === 503) throw new UserError("The shop can't sell: it has no region, or no default sales channel. Choose them in the admin, under Settings.");
  if (status !== 200) throw new UserError(`${what}: ${status}`);
}

/** Throws UserError unless the database has the order as it was bought. */
async function verifyOrder(database: Database, id: string, shop: ProofShop): Promise<void> {
  const { rows } = await database.query(
    `SELECT o.status, o.email, count(i.id) AS items, sum(i.quantity * coalesce(i.unit_price, l.unit_price)) AS total,
       bool_and(l.variant_id = $2) AS bought
     FROM "order" o JOIN order_item i ON i.order_id = o.id JOIN order_line_item l ON l.id = i.item_id
     WHERE o.id = $1 GROUP BY o.id`,
    [id, shop.variant],
  );
  const [order] = rows;
  if (order === undefined) throw new UserError(`The order ${id} was taken, but it is not in the database.`);
  const wrong = Object.entries({
    status: order.status !== "pending",
    items: Number(order.items) !== 1 || order.bought !== true,
    total: Number(order.total) !== PROOF.price,
    "e-mail address": order.email !== PROOF.email,
    stock: (await reserved(database, shop)) !== 1,
  }).flatMap(([name, isWrong]) => (isWrong ? name : []));
  if (wrong.length > 0) throw new UserError(`The order is wrong: ${wrong.join(", ")}.`);
}

/** Pieces of the proof's product that orders have reserved. */
async function reserved(database: Database, shop: ProofShop): Promise<number> {
  const { rows } = await database.query(
    "SELECT coalesce(sum(reserved_quantity), 0) AS sum FROM inventory_level WHERE inventory_item_id = $1",
    [shop.item],
  );
  return Number(rows[0].sum);
}

async function waitUntilReady(shopper: Shopper): Promise<void> {
  const deadline = Date.now() + TIMEOUT_SECONDS * 1000;
  for (;;) {
    try {
      await shopper.send("", "GET", "/readyz");
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new UserError(`The shop is not ready after ${TIMEOUT_SECONDS} s: ${(error as Error).message}`);
      await sleep(200);
    }
  }
}

/** Sends requests to the store's Service, as an ingress would. */
class Shopper {
  key = "";
  private readonly address: URL;

  constructor(private readonly service: string, url: string) {
    this.address = new URL(url);
  }

  /** A response with success, as JSON, or text. Throws UserError with `what`. */
  async send(what: string, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<any> {
    const { status, text, isJson } = await this.request(what, method, path, body, headers);
    const json = isJson ? JSON.parse(text) : undefined;
    // not the text of a page: it isn't for people who read a cause
    if (status >= 400) throw new UserError(`${what}: ${status} ${json?.message ?? ""}`.trim());
    return json ?? text;
  }

  /** Any response. Throws UserError with `what` if there is none. */
  async request(what: string, method: string, path: string, body?: unknown, headers?: Record<string, string>) {
    try {
      const response = await fetch(this.service + path, {
        method,
        headers: {
          "X-Forwarded-Host": this.address.host,
          "X-Forwarded-Proto": this.address.protocol.slice(0, -1),
          ...(this.key === "" ? {} : { "x-publishable-api-key": this.key }),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(REQUEST_MS),
      });
      const isJson = response.headers.get("Content-Type")?.includes("json") === true;
      return { status: response.status, text: await response.text(), isJson };
    } catch (error) {
      const { message, cause } = error as Error;
      throw new UserError(`${what}: ${cause instanceof Error ? cause.message : message}`);
    }
  }
}

void run(prove);
