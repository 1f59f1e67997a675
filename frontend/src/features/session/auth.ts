import { t } from '@/shared/i18n'
import { ACCOUNT_KEY } from './viewer'

interface AuthError {
  field: string | null
  message: string
}
type AuthResult = { ok: true; userId: string; accountId: string | null } | { ok: false; error: AuthError }

/** Posts to the API's sign-in endpoints, which set or clear the session's cookie. */
async function post(path: string, body?: object, method = 'POST'): Promise<AuthResult> {
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body ?? {}),
    })
  } catch {
    return { ok: false, error: { field: null, message: t('error.network') } }
  }
  const answer = (await response.json().catch(() => ({}))) as {
    userId?: string
    accountId?: string
    errors?: AuthError[]
  }
  if (response.ok) return { ok: true, userId: answer.userId ?? '', accountId: answer.accountId ?? null }
  return { ok: false, error: answer.errors?.[0] ?? { field: null, message: t('error.unknown') } }
}

export const signIn = (email: string, password: string) => post('/auth/sign-in', { email, password })
export const signUp = (email: string, password: string) => post('/auth/sign-up', { email, password })
export const signInByLink = (token: string) => post('/auth/link', { token })

export const acceptInvitation = (token: string, password: string) => post('/auth/invitation', { token, password })

/** Leaves by loading the page again, so that nothing of the session stays in memory. */
export async function signOut() {
  await post('/auth/sign-out')
  sessionStorage.clear()
  location.assign('/sign-in')
}

/** An operator signs in as a user, and sees what the user sees. */
export async function signInAs(userId: string, reason: string, accountId: string) {
  const answer = await post('/auth/impersonation', { userId, reason })
  if (answer.ok) enter('/', accountId)
  return answer
}

/** The operator's own session again. */
export async function returnToOperator() {
  await post('/auth/impersonation', {}, 'DELETE')
  enter('/operator/accounts')
}

/** Loads the page again, so that nothing of the session before stays in memory. */
function enter(path: string, accountId?: string) {
  sessionStorage.clear()
  if (accountId === undefined) localStorage.removeItem(ACCOUNT_KEY)
  else localStorage.setItem(ACCOUNT_KEY, accountId)
  location.assign(path)
}
