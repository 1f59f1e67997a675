import { useEffect, useState } from 'react'
import { useClient } from 'urql'
import { generation } from '@/shared/graphql/connection'
import { useLiveEvents } from './bus'
import { StoreEventsQuery, type StoreEvent } from './documents'

/** Events without repeats, the latest first. `added` comes oldest first; of one moment, what is added is the later. */
export function mergeEvents(known: StoreEvent[], added: StoreEvent[]) {
  const all = new Map([...added.toReversed(), ...known].map((event) => [event.cursor, event]))
  return [...all.values()].sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
}

/** A store's events, the latest first: `pageSize` of them, older ones on demand, new ones as they come. */
export function useStoreEvents(storeId: string, pageSize: number) {
  const client = useClient()
  const current = generation.use()
  const [events, setEvents] = useState<StoreEvent[]>([])
  /** The page that is wanted, and the one that is there. */
  const [before, setBefore] = useState<string | null>(null)
  const [page, setPage] = useState<{ before: string | null; older: string | null }>()

  useEffect(() => {
    let active = true
    const policy = { requestPolicy: 'network-only' } as const
    const query = client.query(StoreEventsQuery, { id: storeId, last: pageSize, before }, policy)
    void query.toPromise().then(({ data }) => {
      const found = data?.store?.events
      if (!active || !found) return
      setEvents((known) => mergeEvents(known, found.nodes))
      setPage({ before, older: found.pageInfo.hasPreviousPage ? found.pageInfo.startCursor : null })
    })
    return () => {
      active = false
    }
  }, [client, storeId, pageSize, before, current])
  useLiveEvents((event) => {
    if (event.storeId === storeId) setEvents((known) => mergeEvents(known, [event]))
  })

  const older = page?.older ?? null
  return {
    events,
    loaded: page !== undefined,
    fetching: page?.before !== before,
    loadOlder: older === null ? undefined : () => setBefore(older),
  }
}
