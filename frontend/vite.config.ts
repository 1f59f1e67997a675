import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const api = process.env.STOREFLEET_API ?? 'http://127.0.0.1:8000'

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  build: { assetsInlineLimit: 0, target: 'es2023' }, // 0: the policy allows no data: URL
  server: {
    // The API compares Origin with Host, so the proxy keeps Host as the browser sent it.
    proxy: {
      '/graphql': { target: api, ws: true },
      '/auth': { target: api },
    },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'], restoreMocks: true, testTimeout: 30_000 },
})
