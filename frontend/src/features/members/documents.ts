import { UserErrorParts } from '@/shared/graphql/errors'
import { graphql, type ResultOf } from '@/shared/graphql/graphql'

export const MembersQuery = graphql(`
  query Members($id: ID!, $first: Int!, $after: String) {
    account(id: $id) {
      id
      membersConnection(first: $first, after: $after) {
        nodes {
          userId
          accountId
          email
          role
          since
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`)
export type Member = NonNullable<ResultOf<typeof MembersQuery>['account']>['membersConnection']['nodes'][number]

export const InvitationsQuery = graphql(`
  query Invitations($id: ID!, $first: Int!, $after: String) {
    account(id: $id) {
      id
      invitationsConnection(first: $first, after: $after) {
        nodes {
          id
          email
          role
          expiresAt
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`)
type Invitations = NonNullable<ResultOf<typeof InvitationsQuery>['account']>['invitationsConnection']
export type Invitation = NonNullable<Invitations>['nodes'][number]

export const InviteMember = graphql(
  `
    mutation InviteMember($input: InviteMemberInput!) {
      inviteMember(input: $input) {
        link
        mailed
        invitation {
          id
        }
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)

export const RevokeInvitation = graphql(
  `
    mutation RevokeInvitation($input: RevokeInvitationInput!) {
      revokeInvitation(input: $input) {
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)

export const ChangeRole = graphql(
  `
    mutation ChangeRole($input: ChangeRoleInput!) {
      changeRole(input: $input) {
        member {
          userId
          accountId
          role
        }
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)

export const RemoveMember = graphql(
  `
    mutation RemoveMember($input: RemoveMemberInput!) {
      removeMember(input: $input) {
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)

export const InvitationQuery = graphql(`
  query Invitation($token: String!) {
    invitation(token: $token) {
      accountName
      email
      role
      invitedBy
    }
    viewer {
      user {
        id
        email
      }
    }
  }
`)

export const AcceptInvitation = graphql(
  `
    mutation AcceptInvitation($input: AcceptInvitationInput!) {
      acceptInvitation(input: $input) {
        accountId
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)
