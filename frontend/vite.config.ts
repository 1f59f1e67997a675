import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const api = process.env.STOREFLEET_API ?? 'http://127.0.0.1:8000'

/**
 * As the API process sends it (api/dashboard.py). The hash is that of the empty string: Emotion makes empty <style>
 * elements and fills them through the CSSOM.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  build: {
    assetsInlineLimit: 0, // the policy allows no data: URL
    target: 'es2023',
    rolldownOptions: {
      // What each page needs is two files, not forty: the libraries, which rarely change, and the rest.
      output: {
        codeSplitting: {
          groups: [
            { name: 'libraries', tags: ['$initial'], test: /node_modules/, priority: 1 },
            { name: 'dashboard', tags: ['$initial'] },
          ],
        },
      },
    },
  },
  server: {
    // The API compares Origin with Host, so the proxy keeps Host as the browser sent it.
    proxy: {
      '/graphql': { target: api, ws: true },
      '/auth': { target: api },
      '/export': { target: api },
    },
  },
  preview: { headers: { 'Content-Security-Policy': policy } },
})
