import { t } from '@/shared/i18n'

interface AuthError {
  field: string | null
  message: string
}
type AuthResult = { ok: true; userId: string; accountId: string | null } | { ok: false; error: AuthError }

/** Posts to the API's sign-in endpoints, which set or clear the session's cookie. */
async function post(path: string, body?: object): Promise<AuthResult> {
  let response: Response
  try {
    response = await fetch(path, {
      method: 'POST',
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
