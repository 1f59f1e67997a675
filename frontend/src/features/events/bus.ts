import { useEffect, useRef } from 'react'
import type { LiveEvent } from './documents'

const listeners = new Set<(event: LiveEvent) => void>()

/** Hands an event to all who listen. */
export const publish = (event: LiveEvent) => listeners.forEach((listener) => listener(event))

/** Calls `listener` with each event that arrives while the component is there. */
export function useLiveEvents(listener: (event: LiveEvent) => void) {
  const latest = useRef(listener)
  useEffect(() => {
    latest.current = listener
  })
  useEffect(() => {
    const call = (event: LiveEvent) => latest.current(event)
    listeners.add(call)
    return () => void listeners.delete(call)
  }, [])
}
