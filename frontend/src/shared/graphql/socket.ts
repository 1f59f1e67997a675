import { createClient } from 'graphql-ws'
import type { SubscriptionOperation } from '@urql/core'
import { lostSince, probeSession } from './connection'

const RETRY_LIMIT_MS = 5_000
const LOST_AFTER_MS = 3_000

let lostTimer: ReturnType<typeof setTimeout> | undefined
let endWait: (() => void) | undefined

/** Waits longer after each failure, at most 5 s, and not at all once the browser is online again. */
const retryWait = (retries: number) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, Math.min(RETRY_LIMIT_MS, 250 * 2 ** retries) * (0.75 + Math.random() / 2))
    endWait = () => {
      clearTimeout(timer)
      resolve()
    }
  })
window.addEventListener('online', () => endWait?.())

const socket = createClient({
  url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
  lazyCloseTimeout: 3_000,
  keepAlive: 10_000,
  retryAttempts: Infinity,
  shouldRetry: () => true,
  retryWait,
  on: {
    connected: () => {
      clearTimeout(lostTimer)
      lostTimer = undefined
      lostSince.set(null)
    },
    closed: (event) => {
      if ((event as CloseEvent).wasClean && (event as CloseEvent).code === 1000) return
      const since = Date.now()
      if (lostSince.get() !== null) void probeSession()
      else lostTimer ??= setTimeout(() => lostSince.set(since), LOST_AFTER_MS)
    },
  },
})

interface Sink {
  next: (value: { data?: Record<string, unknown> | null }) => void
  error: (error: unknown) => void
  complete: () => void
}

/**
 * Runs a subscription. graphql-ws sends the same payload object again after a lost connection, so `after` moves on
 * with each event: no event is missed and no event comes twice.
 */
export function subscribe({ query, variables }: SubscriptionOperation, sink: Sink): () => void {
  const payload = { query: query ?? '', variables: { ...(variables as Record<string, unknown>) } }
  return socket.subscribe<Record<string, unknown>>(payload, {
    next: (value) => {
      const [event] = Object.values(value.data ?? {}) as ({ cursor?: string } | null)[]
      if (event?.cursor !== undefined) payload.variables.after = event.cursor
      sink.next(value as { data?: Record<string, unknown> | null })
    },
    error: (error) => sink.error(error),
    complete: () => sink.complete(),
  })
}
