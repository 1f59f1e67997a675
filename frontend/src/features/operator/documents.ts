import { UserErrorParts } from '@/shared/graphql/errors'
import { graphql, type ResultOf } from '@/shared/graphql/graphql'

export const OverviewQuery = graphql(`
  query OperatorOverview {
    operator {
      statusCounts {
        status
        stores
      }
      failing {
        cause
        failed
        unhealthy
      }
      capacity {
        cluster
        nodes
        stores
        allocatableCpu
        requestedCpu
        allocatableMemory
        requestedMemory
        allocatablePods
        requestedPods
        recordedAt
      }
      readyTimes {
        engine
        medianMs
        p95Ms
        stores
        steps {
          name
          medianMs
          p95Ms
        }
      }
    }
  }
`)
type Operator = NonNullable<ResultOf<typeof OverviewQuery>['operator']>
export type StatusCount = Operator['statusCounts'][number]
export type Cause = Operator['failing'][number]
export type Capacity = Operator['capacity'][number]
export type EngineTimes = Operator['readyTimes'][number]

export const StuckStoresQuery = graphql(`
  query OperatorStuckStores($first: Int!, $after: String) {
    operator {
      stuck(first: $first, after: $after) {
        nodes {
          storeId
          name
          accountName
          status
          cause
          lastEventAt
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`)
export type StuckStore = NonNullable<ResultOf<typeof StuckStoresQuery>['operator']>['stuck']['nodes'][number]

const AccountParts = graphql(`
  fragment OperatorAccountParts on OperatorAccount {
    accountId
    name
    createdAt
    storesUsed
    storeQuota
    creationsPerHour
    ownLimits
    suspension {
      since
      reason
    }
    members {
      userId
      accountId
      email
      role
    }
  }
`)
export type OperatorAccount = ResultOf<typeof AccountParts>

export const AccountsQuery = graphql(
  `
    query OperatorAccounts($first: Int!, $after: String, $search: String, $suspended: Boolean) {
      operator {
        accounts(first: $first, after: $after, search: $search, suspended: $suspended) {
          nodes {
            ...OperatorAccountParts
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  `,
  [AccountParts],
)

export const OperatorStoresQuery = graphql(`
  query OperatorStores($first: Int!, $after: String, $filter: StoreFilter, $accountId: ID, $cause: String) {
    operator {
      stores(first: $first, after: $after, filter: $filter, accountId: $accountId, cause: $cause) {
        nodes {
          storeId
          name
          slug
          url
          accountName
          engine
          plan
          status
          health
          cause
          namespace
          createdAt
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`)
export type OperatorStore = NonNullable<ResultOf<typeof OperatorStoresQuery>['operator']>['stores']['nodes'][number]

export const SetAccountLimits = graphql(
  `
    mutation SetAccountLimits($input: SetAccountLimitsInput!) {
      setAccountLimits(input: $input) {
        account {
          ...OperatorAccountParts
        }
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [AccountParts, UserErrorParts],
)

export const SuspendAccount = graphql(
  `
    mutation SuspendAccount($input: SuspendAccountInput!) {
      suspendAccount(input: $input) {
        account {
          ...OperatorAccountParts
        }
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [AccountParts, UserErrorParts],
)

export const ResumeAccount = graphql(
  `
    mutation ResumeAccount($input: ResumeAccountInput!) {
      resumeAccount(input: $input) {
        account {
          ...OperatorAccountParts
        }
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [AccountParts, UserErrorParts],
)
