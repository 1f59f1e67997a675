import type { CombinedError } from '@urql/core'
import { t } from '@/shared/i18n'
import { graphql, type ResultOf } from './graphql'

/** What a form needs of each user error. */
export const UserErrorParts = graphql(`
  fragment UserErrorParts on UserError {
    code
    field
    message
  }
`)
export type UserError = Omit<ResultOf<typeof UserErrorParts>, 'code'> & { code: string }

/** One sentence for a request that failed as a whole. */
export function errorMessage(error: CombinedError): string {
  if (error.networkError) return t('error.network')
  return error.graphQLErrors[0]?.message ?? t('error.unknown')
}

/** What a mutation's answer says is wrong, whether with the request or with its input. */
export function userErrors(result: {
  error?: CombinedError | undefined
  data?: Record<string, { userErrors: UserError[] }> | undefined
}): UserError[] {
  if (result.error) return [{ code: 'REQUEST', field: null, message: errorMessage(result.error) }]
  return Object.values(result.data ?? {}).flatMap((payload) => payload.userErrors)
}
