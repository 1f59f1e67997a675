import { UserErrorParts } from '@/shared/graphql/errors'
import { graphql } from '@/shared/graphql/graphql'
import { StoreRow } from '@/features/stores/documents'

export const CreateStore = graphql(
  `
    mutation CreateStore($input: CreateStoreInput!) {
      createStore(input: $input) {
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

export const SlugSuggestionQuery = graphql(`
  query SlugSuggestion($name: String, $slug: String) {
    slugSuggestion(name: $name, slug: $slug) {
      slug
      available
      reason
      url
    }
  }
`)
