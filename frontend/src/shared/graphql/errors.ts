import type { CombinedError } from '@urql/core'
import { t } from '@/shared/i18n'
import { graphql } from './graphql'

/** What a form needs of each user error. */
export const UserErrorParts = graphql(`
  fragment UserErrorParts on UserError {
    code
    path
    message
  }
`)
/** What every mutation answers. */
export interface Payload {
  userErrors: { code: string; path: string[] | null; message: string }[]
}
/** `field`: of the form, by its name in the mutation's input. */
export interface UserError {
  code: string
  field: string | null
  message: string
}

/** One sentence for a request that failed as a whole. */
export function errorMessage(error: CombinedError): string {
  if (error.networkError) return t('error.network')
  return error.graphQLErrors[0]?.message ?? t('error.unknown')
}

/** What a mutation's answer says is wrong, whether with the request or with its input. */
export function userErrors(result: {
  error?: CombinedError | undefined
  data?: Record<string, Payload> | undefined
}): UserError[] {
  if (result.error) return [{ code: 'REQUEST', field: null, message: errorMessage(result.error) }]
  return Object.values(result.data ?? {})
    .flatMap((payload) => payload.userErrors)
    .map(({ code, path, message }) => ({ code, field: path?.[0] ?? null, message }))
}

/** Errors by the field of a form beside which they are shown; `general`: the first that has no such field. */
export function byField(errors: UserError[], fields: readonly string[]) {
  return {
    errorOf: (field: string) => errors.find((error) => error.field === field)?.message,
    general: errors.find(({ field }) => !fields.includes(field ?? ''))?.message,
  }
}
