import type { UpdateResolver } from '@urql/exchange-graphcache'
import { graphql } from '@/shared/graphql/graphql'
import { StoreProgress, StoreRow } from '@/features/stores/documents'
import type { LiveEvent } from './documents'

const LiveStore = graphql(
  `
    fragment LiveStore on Store {
      ...StoreRow
      ...StoreProgress
    }
  `,
  [StoreRow, StoreProgress],
)

/** Writes an event's store over the one in the cache. Events themselves aren't kept: a long day has many. */
export const writeEventStore: UpdateResolver = (result, _args, cache) => {
  const { store } = (result as { accountEvents: LiveEvent }).accountEvents
  cache.writeFragment(LiveStore, store)
}
