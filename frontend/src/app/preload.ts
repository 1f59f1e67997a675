import type { Client } from '@urql/core'
import { EventCursorQuery } from '@/features/events/documents'
import { preloadCursor } from '@/features/events/startCursor'
import { ACCOUNT_KEY, ViewerQuery, accountOf } from '@/features/session/viewer'
import { EnginesQuery, StoresQuery } from '@/features/stores/documents'
import { firstPageOf } from '@/features/stores/useStorePages'
import { preload } from '@/shared/graphql/preload'

/** Asks for what the first page shows while the browser still makes it; for the cursor of events before all else. */
export async function preloadPage(client: Client) {
  if (location.pathname.startsWith('/sign-')) return
  const viewer = client.query(ViewerQuery, {}).toPromise()
  void client.query(EnginesQuery, {}).toPromise()
  const { data } = await viewer
  const account = data?.viewer && accountOf(data.viewer, localStorage.getItem(ACCOUNT_KEY))
  if (!account) return
  const answer =
    location.pathname === '/'
      ? preload(client, StoresQuery, firstPageOf(account.id))
      : client.query(EventCursorQuery, { accountId: account.id }).toPromise()
  preloadCursor(
    account.id,
    answer.then(({ data: found }) => found?.stores.eventCursor),
  )
}
