import { graphql, type ResultOf } from '@/shared/graphql/graphql'
import { StoreProgress, StoreRow } from '@/features/stores/documents'

const EventLine = graphql(`
  fragment EventLine on Event {
    cursor
    storeId
    type
    status
    message
    at
    step {
      name
      status
    }
  }
`)

/** Each event brings its store, so that the cache follows by itself. */
export const AccountEvents = graphql(
  `
    subscription AccountEvents($accountId: ID!, $after: String) {
      accountEvents(accountId: $accountId, after: $after) {
        ...EventLine
        store {
          ...StoreRow
          ...StoreProgress
        }
      }
    }
  `,
  [EventLine, StoreRow, StoreProgress],
)

/** Where the subscription begins: nothing after this answer is missed. */
export const EventCursorQuery = graphql(`
  query EventCursor($accountId: ID!) {
    stores(accountId: $accountId, first: 1) {
      eventCursor
    }
  }
`)

export const StoreEventsQuery = graphql(
  `
    query StoreEvents($id: ID!, $last: Int!, $before: String) {
      store(id: $id) {
        id
        events(last: $last, before: $before) {
          nodes {
            ...EventLine
          }
          pageInfo {
            hasPreviousPage
            startCursor
          }
        }
      }
    }
  `,
  [EventLine],
)

export type StoreEvent = ResultOf<typeof EventLine>
export type LiveEvent = ResultOf<typeof AccountEvents>['accountEvents']
