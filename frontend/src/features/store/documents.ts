import { UserErrorParts } from '@/shared/graphql/errors'
import { graphql, type ResultOf } from '@/shared/graphql/graphql'
import { StoreProgress, StoreRow } from '@/features/stores/documents'

export const StoreQuery = graphql(
  `
    query Store($slug: String!) {
      store(slug: $slug) {
        ...StoreRow
        ...StoreProgress
        adminEmail
        country
        currency
        language
        setup
      }
    }
  `,
  [StoreRow, StoreProgress],
)
export type StoreDetail = NonNullable<ResultOf<typeof StoreQuery>['store']>

export const RevealCredentials = graphql(
  `
    mutation RevealAdminCredentials($input: RevealAdminCredentialsInput!) {
      revealAdminCredentials(input: $input) {
        credentials {
          url
          username
          password
          pendingPassword
        }
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)

export const RotatePassword = graphql(
  `
    mutation RotateAdminPassword($input: RotateAdminPasswordInput!) {
      rotateAdminPassword(input: $input) {
        store {
          id
          status
        }
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)

export const SuspendStore = graphql(
  `
    mutation SuspendStore($input: SuspendStoreInput!) {
      suspendStore(input: $input) {
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

export const ResumeStore = graphql(
  `
    mutation ResumeStore($input: ResumeStoreInput!) {
      resumeStore(input: $input) {
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

export const ChangePlan = graphql(
  `
    mutation ChangePlan($input: ChangePlanInput!) {
      changePlan(input: $input) {
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

export const DeleteStore = graphql(
  `
    mutation DeleteStore($input: DeleteStoreInput!) {
      deleteStore(input: $input) {
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

export const StoreLogs = graphql(`
  subscription StoreLogs($storeId: ID!, $component: String!, $tail: Int!) {
    storeLogs(storeId: $storeId, component: $component, tail: $tail) {
      kind
      line
      at
      pod
    }
  }
`)
export type LogLine = ResultOf<typeof StoreLogs>['storeLogs']
