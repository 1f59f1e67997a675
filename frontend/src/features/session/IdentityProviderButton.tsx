import { Button } from '@mui/material'
import { graphql } from '@/shared/graphql/graphql'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'

export const SignInOptionsQuery = graphql(`
  query SignInOptions {
    signUpOpen
    identityProvider
  }
`)

/** Why the provider led back without a session; true: another person might be signed in there. */
const PROBLEMS = {
  cancelled: false,
  expired: false,
  unavailable: false,
  refused: false,
  not_verified: true,
  domain: true,
  no_user: true,
  other_identity: true,
  rate_limited: false,
}
export type Problem = keyof typeof PROBLEMS

/** The problem in the address of the sign-in page. */
export function problemOf(search: URLSearchParams): Problem | null {
  const problem = search.get('problem') ?? ''
  return Object.hasOwn(PROBLEMS, problem) ? (problem as Problem) : null
}

/** A link to the OpenID provider, which leads back to `next`; nothing where there is no provider. */
export function IdentityProviderButton({ next, problem = null }: { next: string; problem?: Problem | null }) {
  const name = useData({ query: SignInOptionsQuery, variables: {} }).data?.identityProvider
  if (!name) return null
  const query = new URLSearchParams({ next, ...(problem && PROBLEMS[problem] && { choose: 'true' }) })
  return (
    <Button component="a" href={`/auth/oidc?${query}`} size="large" fullWidth>
      {t('oidc.continue', { name })}
    </Button>
  )
}
