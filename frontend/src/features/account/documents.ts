import { UserErrorParts } from '@/shared/graphql/errors'
import { graphql, type ResultOf } from '@/shared/graphql/graphql'

export const AccountQuery = graphql(`
  query Account($id: ID!) {
    account(id: $id) {
      id
      storeQuota
      creationsPerHour
      storesUsed
      creationsLeft
      nextCreationAt
    }
  }
`)
export type Limits = NonNullable<ResultOf<typeof AccountQuery>['account']>

export const TokensQuery = graphql(`
  query Tokens($id: ID!, $first: Int!, $after: String) {
    account(id: $id) {
      id
      tokensConnection(first: $first, after: $after) {
        nodes {
          id
          name
          scopes
          createdAt
          expiresAt
          revokedAt
          lastUsedAt
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`)
export type Token = NonNullable<ResultOf<typeof TokensQuery>['account']>['tokensConnection']['nodes'][number]

export const SessionsQuery = graphql(`
  query Sessions($first: Int!, $after: String) {
    viewer {
      sessionsConnection(first: $first, after: $after) {
        nodes {
          id
          createdAt
          lastUsedAt
          userAgent
          current
          operator
          passwordOptional
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`)
export type Session = NonNullable<ResultOf<typeof SessionsQuery>['viewer']>['sessionsConnection']['nodes'][number]

export const AuditQuery = graphql(`
  query AuditLog($id: ID!, $first: Int!, $after: String) {
    account(id: $id) {
      id
      auditLog(first: $first, after: $after) {
        nodes {
          id
          at
          action
          result
          address
          userAgent
          actor {
            kind
            name
          }
          operator {
            name
          }
          user {
            name
          }
          subject {
            kind
            name
          }
          details {
            name
            value
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`)
type AuditLog = NonNullable<NonNullable<ResultOf<typeof AuditQuery>['account']>['auditLog']>
export type AuditEntry = AuditLog['nodes'][number]

export const EndSession = graphql(
  `
    mutation EndSession($input: EndSessionInput!) {
      endSession(input: $input) {
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)

export const ChangePassword = graphql(
  `
    mutation ChangePassword($input: ChangePasswordInput!) {
      changePassword(input: $input) {
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)

export const CreateApiToken = graphql(
  `
    mutation CreateApiToken($input: CreateApiTokenInput!) {
      createApiToken(input: $input) {
        token {
          id
        }
        secret
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)

export const RevokeApiToken = graphql(
  `
    mutation RevokeApiToken($input: RevokeApiTokenInput!) {
      revokeApiToken(input: $input) {
        token {
          id
          revokedAt
        }
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)
