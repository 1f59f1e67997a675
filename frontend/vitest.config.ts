import { defineConfig, mergeConfig } from 'vitest/config'
import vite from './vite.config'

// A file of its own: building needs no packages for development.
export default mergeConfig(
  vite,
  defineConfig({
    test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'], restoreMocks: true, testTimeout: 30_000 },
  }),
)
