import { UserErrorParts } from '@/shared/graphql/errors'
import { graphql, type ResultOf } from '@/shared/graphql/graphql'

export const MembersQuery = graphql(`
  query Members($id: ID!, $manages: Boolean!) {
    account(id: $id) {
      id
      membersConnection(first: 100) {
        nodes {
          userId
          accountId
          email
          role
          since
        }
      }
      invitationsConnection(first: 100) @include(if: $manages) {
        nodes {
          id
          email
          role
          expiresAt
        }
      }
    }
  }
`)
type Account = NonNullable<ResultOf<typeof MembersQuery>['account']>
export type Member = Account['membersConnection']['nodes'][number]
export type Invitation = NonNullable<Account['invitationsConnection']>['nodes'][number]

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
