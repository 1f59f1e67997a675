/** The storefront's files. They have no content of the shop, so they are answered before Medusa. */
import { Router } from "express";
import { STYLE } from "./style";

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M6 11h20l-2 17H8z" fill="#1f5f4a"/><path d="M11 14V9a5 5 0 0 1 10 0v5" fill="none" stroke="#7fd1b0" stroke-width="2.4" stroke-linecap="round"/></svg>`;
const SAMPLE_PRODUCT = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 600"><rect width="600" height="600" fill="#e9e2d4"/><circle cx="470" cy="130" r="64" fill="#f3c969"/><path d="M0 470q150-60 300-20t300-30v180H0z" fill="#d7cbb5"/><path d="M168 236h264l-26 270a16 16 0 0 1-16 14H210a16 16 0 0 1-16-14z" fill="#1f5f4a"/><path d="M168 236h264l-3 30H171z" fill="#174a39"/><path d="M236 280v-70a64 64 0 0 1 128 0v70" fill="none" stroke="#f6efe1" stroke-width="14" stroke-linecap="round"/><path d="M300 420c-60-44-40-92 0-66 40-26 60 22 0 66z" fill="#f3c969"/></svg>`;

const FILES: Record<string, { type: string; content: string }> = {
  "/style.css": { type: "text/css", content: STYLE },
  "/icon.svg": { type: "image/svg+xml", content: ICON },
  "/sample-product.svg": { type: "image/svg+xml", content: SAMPLE_PRODUCT },
};

/** The stylesheet's URL changes with its content. */
export function assets(): Router {
  const router = Router();
  for (const [path, { type, content }] of Object.entries(FILES)) {
    router.get(path, (_request, response) => {
      response
        .set("Cache-Control", `public, max-age=${path === "/style.css" ? "31536000, immutable" : "86400"}`)
        .set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        .set("X-Content-Type-Options", "nosniff")
        .type(type)
        .send(content);
    });
  }
  return router;
}
