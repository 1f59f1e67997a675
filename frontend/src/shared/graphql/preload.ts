import { createRequest, type AnyVariables, type Client, type TypedDocumentNode } from '@urql/core'

const preloaded = new Set<number>()

/** Asks for what a page is about to ask for, before its components are there. */
export function preload<Data, Variables extends AnyVariables>(
  client: Client,
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) {
  preloaded.add(createRequest(query, variables).key)
  return client.query(query, variables).toPromise()
}

/** The policy of a page's query. What was preloaded isn't asked for again, but for once. */
export function policyOf<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) {
  return preloaded.delete(createRequest(query, variables).key) ? 'cache-first' : 'cache-and-network'
}
