import { externalStore } from '@/shared/externalStore'

/** Since when the WebSocket is lost (ms since the epoch); null while it is open, or was never needed. */
export const lostSince = externalStore<number | null>(null)

/** True after the API said that nobody is signed in, until somebody signs in. */
export const signedOut = externalStore(false)

/** Grows when all data must be read again: after another sign-in, or when a subscription can't be resumed. */
export const generation = externalStore(0)
export const readAgain = () => generation.set(generation.get() + 1)

/** Asks the API whether the session still lives; a refused WebSocket handshake doesn't tell. */
export async function probeSession() {
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ viewer { user { id } } }' }),
    })
    if (response.status === 401) return signedOut.set(true)
    const { data } = (await response.json()) as { data?: { viewer: unknown } }
    if (data?.viewer === null) signedOut.set(true)
  } catch {
    // Not reachable: the socket tries again anyway.
  }
}
