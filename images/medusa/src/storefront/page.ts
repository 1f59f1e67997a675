/** The frame of all pages. */
import { createHash } from "node:crypto";
import type { MedusaResponse } from "@medusajs/framework/http";
import { GENERATOR } from "./generator";
import { Html, html } from "./html";
import { LANGUAGE, LOCALE, texts } from "./locale";
import { STYLE } from "./style";

const STYLE_URL = `/storefront/style.css?${createHash("sha256").update(STYLE).digest("hex").slice(0, 12)}`;
/** Nothing but our own stylesheet and pictures; forms only to this shop. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'", "style-src 'self'", "img-src 'self' https: data:", "form-action 'self'", "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

export interface Page {
  /** Without the shop's name. */
  title: string;
  body: Html;
  status?: number;
  /** Search engines must not list it. */
  private?: boolean;
}

/** `items`: in the cart. */
export function sendPage(response: MedusaResponse, shopName: string, items: number, page: Page): void {
  const document = html`<!doctype html>
<html lang="${LANGUAGE}" data-locale="${LOCALE}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="${GENERATOR}">
${page.private === true && html`<meta name="robots" content="noindex">`}
<title>${page.title === "" ? shopName : `${page.title} – ${shopName}`}</title>
<link rel="icon" href="/storefront/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${STYLE_URL}">
</head>
<body>
<a class="skip" href="#content">${texts.skipToContent}</a>
<header class="top"><div class="wide">
<a class="brand" href="/">${shopName}</a>
<nav><a class="cart-link" href="/cart">${texts.cart}${items > 0 && html` <span class="count">${items}</span>`}</a></nav>
</div></header>
<main id="content" class="wide">
${page.body}
</main>
<footer class="wide">${shopName}</footer>
</body>
</html>
`;
  response
    .status(page.status ?? 200)
    .set("Content-Type", "text/html; charset=utf-8")
    .set("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    .set("X-Content-Type-Options", "nosniff")
    .set("Referrer-Policy", "same-origin")
    .set("Cache-Control", "no-store")
    .send(document.text);
}
