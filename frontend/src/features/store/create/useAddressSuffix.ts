import { useData } from '@/shared/graphql/useData'
import { graphql } from '@/shared/graphql/graphql'
import { useSession } from '@/features/session/viewer'

const AddressQuery = graphql(`
  query Address($accountId: ID!) {
    stores(accountId: $accountId, first: 1, includeDeleted: true) {
      nodes {
        id
        slug
        url
      }
    }
  }
`)

/** What follows a slug in an address, such as ".shops.example", as another store of the account has it; else empty. */
export function useAddressSuffix() {
  const { account } = useSession()
  const { data } = useData({ query: AddressQuery, variables: { accountId: account.id }, requestPolicy: 'cache-first' })
  const store = data?.stores.nodes[0]
  return store ? new URL(store.url).host.slice(store.slug.length) : ''
}
