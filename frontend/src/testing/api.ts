import { readFileSync } from 'node:fs'
import { buildSchema, graphql } from 'graphql'
import { vi } from 'vitest'

const schema = buildSchema(readFileSync('../schema.graphql', 'utf8'))

/** Answers /graphql from `root`, checked against the committed schema; counts the operations by name. */
export function mockApi(root: object) {
  const operations: string[] = []
  vi.stubGlobal('fetch', async (_url: string, { body }: { body: string }) => {
    const { query, variables, operationName } = JSON.parse(body) as {
      query: string
      variables: Record<string, unknown>
      operationName?: string
    }
    operations.push(operationName ?? '')
    const result = await graphql({ schema, source: query, rootValue: root, variableValues: variables })
    return new Response(JSON.stringify(result), { headers: { 'content-type': 'application/json' } })
  })
  return operations
}

const at = '2026-11-29T12:00:00Z'
const steps = ['credentials', 'database', 'proof'].map((name) => ({
  __typename: 'Step',
  name,
  status: 'PENDING',
  startedAt: null,
  finishedAt: null,
  message: null,
}))

/** A store as the API tells it; `part` overrides. */
export const store = (part: object = {}) => ({
  __typename: 'Store',
  id: 'store-1',
  accountId: 'account-1',
  slug: 'fig-olive',
  name: 'Fig & Olive',
  engine: 'WOOCOMMERCE',
  release: '4',
  plan: 'SMALL',
  adminEmail: 'mira@example.com',
  country: 'DE',
  currency: 'EUR',
  language: 'de-DE',
  setup: 'READY',
  status: 'PROVISIONING',
  cause: null,
  health: null,
  url: 'https://fig-olive.shops.example',
  createdAt: at,
  readyAt: null,
  deletedAt: null,
  receipt: null,
  deletion: null,
  eventCursor: 'c0',
  steps,
  events: { nodes: [], edges: [], pageInfo: { hasNextPage: false, hasPreviousPage: false } },
  ...part,
})

export const signedIn = (stores: object[]) => ({
  viewer: {
    user: { id: 'user-1', email: 'mira@example.com' },
    isOperator: false,
    impersonation: null,
    sessionsConnection: { nodes: [] },
    accountsConnection: { nodes: [account] },
  },
  account,
  stores: {
    eventCursor: 'c0',
    nodes: stores,
    edges: [],
    pageInfo: { hasNextPage: false, hasPreviousPage: false, endCursor: null },
  },
  store: ({ slug }: { slug?: string }) => stores.find((one) => (one as { slug: string }).slug === slug) ?? null,
  engines: [
    {
      name: 'WOOCOMMERCE',
      title: 'WooCommerce',
      description: 'WordPress with MySQL',
      available: true,
      releases: ['4'],
      components: ['web'],
      setups: ['READY'],
      rotatesAdminPassword: true,
      steps: [
        { name: 'credentials', title: 'Making credentials', usualMs: 30 },
        { name: 'database', title: 'Starting the database', usualMs: 3100 },
        { name: 'proof', title: 'A synthetic shopper buys something', usualMs: null },
      ],
    },
  ],
  plans: [{ name: 'SMALL', title: 'Small', cpu: 1, memory: 832, disk: 4 }],
  languages: ['de-DE'],
})

const account = {
  id: 'account-1',
  name: 'Northwind',
  role: 'OWNER',
  storeQuota: 15,
  creationsPerHour: 6,
  storesUsed: 1,
  creationsLeft: 5,
  nextCreationAt: null,
  suspension: null,
  storeCount: ({ filter }: { filter?: { status?: string[] } }) => (filter?.status?.includes('PROVISIONING') ? 1 : 0),
  tokens: [],
}
