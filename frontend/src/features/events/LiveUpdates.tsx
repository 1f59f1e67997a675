import { useEffect, useState } from 'react'
import { useClient } from 'urql'
import { generation, readAgain, signedOut } from '@/shared/graphql/connection'
import { AccountEvents, EventCursorQuery } from './documents'
import { publish } from './bus'
import { takeCursor } from './startCursor'

const RESTART_MS = 2_000

/**
 * The one subscription of the page. The cache takes each event's store (see cache.ts); others listen by
 * `useLiveEvents`. It starts at a cursor that is read once; after a lost connection the socket goes on after the last
 * event. When that isn't possible (the cursor has expired), all data is read again.
 */
export function LiveUpdates({ accountId }: { accountId: string }) {
  const client = useClient()
  const current = generation.use()
  const ended = signedOut.use()
  const [failures, setFailures] = useState(0)
  useEffect(() => {
    if (ended) return
    let stop: (() => void) | undefined
    let active = true
    let timer: ReturnType<typeof setTimeout> | undefined
    const restart = (reload: boolean) => {
      if (!active) return
      timer = setTimeout(() => (reload ? readAgain() : setFailures((n) => n + 1)), RESTART_MS)
    }
    const start = async () => {
      const policy = { requestPolicy: 'network-only' } as const
      const preloaded = await takeCursor(accountId)
      const read = () => client.query(EventCursorQuery, { accountId }, policy).toPromise()
      const after = preloaded ?? (await read()).data?.stores.eventCursor
      if (!active) return
      if (after === undefined) return restart(false)
      const subscription = client.subscription(AccountEvents, { accountId, after }).subscribe((result) => {
        if (result.data) publish(result.data.accountEvents)
        else if (result.error) restart(true)
      })
      stop = () => subscription.unsubscribe()
    }
    void start()
    return () => {
      active = false
      clearTimeout(timer)
      stop?.()
    }
  }, [client, accountId, current, ended, failures])
  return null
}
