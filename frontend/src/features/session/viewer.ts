import { createContext, use } from 'react'
import { graphql, type ResultOf } from '@/shared/graphql/graphql'

export const ViewerQuery = graphql(`
  query Viewer {
    viewer {
      user {
        id
        email
      }
      accountsConnection(first: 100) {
        nodes {
          id
          name
          role
          storeQuota
          creationsPerHour
          storesUsed
          creationsLeft
          nextCreationAt
          suspension {
            since
            reason
          }
        }
      }
      isOperator
      impersonation {
        operator
        reason
        expiresAt
      }
    }
  }
`)

type Viewer = NonNullable<ResultOf<typeof ViewerQuery>['viewer']>
export type Account = Viewer['accountsConnection']['nodes'][number]

/** The key in localStorage of the account that was on screen last. */
export const ACCOUNT_KEY = 'sf-account'

export const accountOf = ({ accountsConnection: { nodes } }: Viewer, chosen: string | null) =>
  nodes.find(({ id }) => id === chosen) ?? nodes[0]

interface Session {
  user: Viewer['user']
  /** Null: the user is signed in. */
  impersonation: Viewer['impersonation']
  isOperator: boolean
  accounts: Account[]
  /** The account whose stores are on screen. */
  account: Account
  canWrite: boolean
  chooseAccount: (id: string) => void
  refetch: () => void
}

export const SessionContext = createContext<Session | null>(null)

/** Who is signed in. Only below `RequireSession`. */
export function useSession(): Session {
  const session = use(SessionContext)
  if (session === null) throw new Error('useSession needs RequireSession above it')
  return session
}
