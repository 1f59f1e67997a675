import { UserErrorParts } from '@/shared/graphql/errors'
import { graphql, type ResultOf } from '@/shared/graphql/graphql'

/** What a row of the list shows; also what an event brings. */
export const StoreRow = graphql(`
  fragment StoreRow on Store {
    id
    slug
    name
    engine
    plan
    status
    cause
    url
    createdAt
    readyAt
    health {
      state
      cause
      since
    }
    steps {
      name
      status
      startedAt
      finishedAt
      message
    }
  }
`)

/** What may change after a store was created, beside its row. */
export const StoreProgress = graphql(`
  fragment StoreProgress on Store {
    release
    deletedAt
    receipt {
      simulated
      totalMs
      steps {
        name
        ms
      }
    }
    deletion {
      volumes
      leftovers
    }
  }
`)

export const StoresQuery = graphql(
  `
    query Stores($accountId: ID!, $first: Int!, $after: String, $filter: StoreFilter, $orderBy: StoreOrder) {
      stores(accountId: $accountId, first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        eventCursor
        nodes {
          ...StoreRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [StoreRow],
)

export const EnginesQuery = graphql(`
  query Engines {
    engines {
      name
      title
      description
      available
      components
      setups
      rotatesAdminPassword
      steps {
        name
        title
        usualMs
      }
    }
    plans {
      name
      title
      cpu
      memory
      disk
    }
    languages
  }
`)

export const RetryStore = graphql(
  `
    mutation RetryStore($input: RetryStoreInput!) {
      retryStore(input: $input) {
        store {
          ...StoreRow
        }
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [StoreRow, UserErrorParts],
)

export type Store = ResultOf<typeof StoreRow>
export type Engine = ResultOf<typeof EnginesQuery>['engines'][number]
export type Plan = ResultOf<typeof EnginesQuery>['plans'][number]
