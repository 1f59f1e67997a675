import { useCallback, useEffect, useRef } from 'react'
import { useLiveEvents } from '@/features/events/bus'

/** A message is sent up to a second after its event; a slow receiver takes up to half a minute. */
const REFETCH_MS = [1500, 4000, 10_000, 35_000]
const AFTER_PLANNED_MS = 2000
/** Beyond this a planned attempt is not waited for. */
const MAX_WAIT_MS = 3_600_000

/**
 * Refetches what changes when messages are sent: after each event of the account, when the next attempt was planned,
 * and when `refetchSoon`, which it returns, is called.
 */
export function useDeliveryUpdates(refetch: () => void, nextAttemptAt: string | null = null) {
  const timers = useRef<ReturnType<typeof setTimeout>[]>([])
  const refetchSoon = useCallback(() => {
    timers.current.forEach(clearTimeout)
    timers.current = REFETCH_MS.map((ms) => setTimeout(refetch, ms))
  }, [refetch])
  useLiveEvents(refetchSoon)
  useEffect(() => () => timers.current.forEach(clearTimeout), [])
  useEffect(() => {
    if (nextAttemptAt === null) return
    const ms = Math.max(0, Date.parse(nextAttemptAt) - Date.now()) + AFTER_PLANNED_MS
    if (ms > MAX_WAIT_MS) return
    const timer = setTimeout(refetchSoon, ms)
    return () => clearTimeout(timer)
  }, [nextAttemptAt, refetchSoon])
  return refetchSoon
}
