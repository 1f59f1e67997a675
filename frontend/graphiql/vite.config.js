import { defineConfig } from 'vite'

const api = process.env.STOREFLEET_API ?? 'http://127.0.0.1:8000'
/**
 * As the API process sends it. The one style element that it refuses locks the scrolling below a dialog, which this page
 * doesn't need. No Trusted Types: the schema's documentation is rendered from Markdown by innerHTML.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')
/** GraphiQL's style sheet carries 30 fonts as data: URLs, 700 kB; the page uses the system's. */
const withoutFonts = {
  name: 'without-fonts',
  enforce: 'pre',
  transform: (code, id) => (/graphiql.*\.css$/.test(id) ? code.replace(/@font-face\s*\{[^}]*\}/g, '') : undefined),
}
const proxy = { '/graphql': { target: api, ws: true }, '/auth': { target: api }, '/icons': { target: api } }

export default defineConfig({
  base: '/graphiql/',
  plugins: [withoutFonts],
  build: {
    assetsInlineLimit: 0, // the policy allows no data: URL
    target: 'es2023',
    rolldownOptions: {
      // "use client" is for servers that render React; there is none.
      onLog: (level, log, handler) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && handler(level, log),
    },
  },
  server: { proxy },
  preview: { headers: { 'Content-Security-Policy': policy } },
})
