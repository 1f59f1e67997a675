import { Client, fetchExchange, mapExchange, subscriptionExchange, type CombinedError } from '@urql/core'
import { cacheExchange, type KeyingConfig, type UpdateResolver } from '@urql/exchange-graphcache'
import { signedOut } from './connection'
import possibleTypes from './possible-types.json'
import { subscribe } from './socket'

const embedded = () => null

/** Pages, their edges and errors have no identity: a new type of them needs no line in `keys`. */
const embeddedBySuffix = (keys: KeyingConfig) =>
  new Proxy(keys, {
    get: (known, type: string) => known[type] ?? (/(Connection|Edge|UserError)$/.test(type) ? embedded : undefined),
  })

const isUnauthenticated = (error: CombinedError) =>
  error.graphQLErrors.some((one) => one.extensions.code === 'UNAUTHENTICATED') ||
  (error.response as Response | undefined)?.status === 401

/** `onAccountEvent` takes an event's store into the cache. */
export const createGraphQLClient = (onAccountEvent: UpdateResolver) =>
  new Client({
    url: '/graphql',
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    exchanges: [
      mapExchange({
        onError: (error) => {
          if (isUnauthenticated(error)) signedOut.set(true)
        },
      }),
      cacheExchange({
        possibleTypes,
        keys: embeddedBySuffix({
          AccountSuspension: embedded,
          AdminCredentials: embedded,
          AuditDetail: embedded,
          AuditReference: embedded,
          ClusterCapacity: (capacity) => String(capacity.cluster),
          Deletion: embedded,
          EngineInfo: (engine) => String(engine.name),
          EngineStep: embedded,
          EngineTimes: embedded,
          Event: embedded,
          EventStep: embedded,
          FailingCause: embedded,
          Health: embedded,
          Impersonation: embedded,
          InvitationPreview: embedded,
          Member: (member) => `${String(member.accountId)} ${String(member.userId)}`,
          Operator: embedded,
          OperatorAccount: (account) => String(account.accountId),
          OperatorStore: (store) => String(store.storeId),
          PageInfo: embedded,
          PlanInfo: (plan) => String(plan.name),
          Receipt: embedded,
          ReceiptStep: embedded,
          SlugSuggestion: embedded,
          StatusCount: embedded,
          Step: embedded,
          StepTimes: embedded,
          StoreLogLine: embedded,
          Viewer: () => 'viewer',
        }),
        updates: {
          Subscription: { accountEvents: onAccountEvent },
          Mutation: {
            createApiToken: (_result, _args, cache) => cache.invalidate('Query', 'viewer'),
            createStore: (_result, _args, cache) => {
              for (const field of cache.inspectFields('Query')) {
                if (field.fieldName === 'stores') cache.invalidate('Query', field.fieldKey)
              }
            },
            deleteWebhook: (_result, { input }, cache) =>
              cache.invalidate({ __typename: 'Webhook', id: (input as { id: string }).id }),
          },
        },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (operation) => ({
          subscribe: (sink) => ({ unsubscribe: subscribe(operation, sink as Parameters<typeof subscribe>[1]) }),
        }),
      }),
    ],
  })
