import { UserErrorParts } from '@/shared/graphql/errors'
import { graphql, type ResultOf } from '@/shared/graphql/graphql'

const WebhookParts = graphql(`
  fragment WebhookParts on Webhook {
    id
    url
    eventTypes
    status
    cause
    failingSince
    createdAt
    cursor
    nextAttemptAt
  }
`)
export type Webhook = ResultOf<typeof WebhookParts>

export const WebhooksQuery = graphql(
  `
    query Webhooks($id: ID!) {
      account(id: $id) {
        id
        webhooks {
          nodes {
            ...WebhookParts
          }
        }
      }
    }
  `,
  [WebhookParts],
)

export const WebhookQuery = graphql(
  `
    query Webhook($id: ID!) {
      node(id: $id) {
        ... on Webhook {
          ...WebhookParts
        }
      }
    }
  `,
  [WebhookParts],
)

const DeliveryParts = graphql(`
  fragment DeliveryParts on WebhookDelivery {
    id
    messageId
    type
    attempt
    at
    latencyMs
    delivered
    statusCode
    error
    nextAttemptAt
  }
`)
export type Delivery = ResultOf<typeof DeliveryParts>

export const DeliveriesQuery = graphql(
  `
    query WebhookDeliveries($id: ID!, $first: Int!, $after: String) {
      node(id: $id) {
        ... on Webhook {
          id
          deliveries(first: $first, after: $after) {
            nodes {
              ...DeliveryParts
            }
            pageInfo {
              hasNextPage
              endCursor
            }
          }
        }
      }
    }
  `,
  [DeliveryParts],
)

export const CreateWebhook = graphql(
  `
    mutation CreateWebhook($input: CreateWebhookInput!) {
      createWebhook(input: $input) {
        webhook {
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

export const UpdateWebhook = graphql(
  `
    mutation UpdateWebhook($input: UpdateWebhookInput!) {
      updateWebhook(input: $input) {
        webhook {
          ...WebhookParts
        }
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts, WebhookParts],
)

export const TestWebhook = graphql(
  `
    mutation TestWebhook($input: TestWebhookInput!) {
      testWebhook(input: $input) {
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)

export const ReplayWebhook = graphql(
  `
    mutation ReplayWebhook($input: ReplayWebhookInput!) {
      replayWebhook(input: $input) {
        webhook {
          ...WebhookParts
        }
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts, WebhookParts],
)

export const RotateWebhookSecret = graphql(
  `
    mutation RotateWebhookSecret($input: RotateWebhookSecretInput!) {
      rotateWebhookSecret(input: $input) {
        secret
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)

export const DeleteWebhook = graphql(
  `
    mutation DeleteWebhook($input: DeleteWebhookInput!) {
      deleteWebhook(input: $input) {
        deletedId
        userErrors {
          ...UserErrorParts
        }
      }
    }
  `,
  [UserErrorParts],
)
