import { initGraphQLTada } from 'gql.tada'
import type { introspection } from '@/graphql-env'

/** Writes a document whose types come from schema.graphql: a document that doesn't fit fails the type check. */
export const graphql = initGraphQLTada<{
  introspection: introspection
  scalars: { DateTime: string }
  disableMasking: true
}>()

export type { ResultOf, VariablesOf } from 'gql.tada'
