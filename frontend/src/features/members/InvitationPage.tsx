import { Box, Button, CircularProgress } from '@mui/material'
import { useEffect, useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { useMutation } from 'urql'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { Field } from '@/shared/components/Field'
import { PasswordInput } from '@/shared/components/PasswordInput'
import { errorMessage, userErrors } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { acceptInvitation } from '@/features/session/auth'
import { SignedOutLayout } from '@/features/session/SignedOutLayout'
import { linkToken } from '@/features/session/SignInLink'
import { ACCOUNT_KEY } from '@/features/session/viewer'
import { AcceptInvitation, InvitationQuery } from './documents'

const TOKEN_KEY = 'sf-invitation'

/** The token of the link; kept over a sign-in in between, and not in the address bar. */
function readToken() {
  const token = linkToken(location.hash) ?? sessionStorage.getItem(TOKEN_KEY)
  if (token) sessionStorage.setItem(TOKEN_KEY, token)
  return token ?? ''
}

/** The invited account is the one on screen after this. */
function enter(accountId: string | null) {
  sessionStorage.removeItem(TOKEN_KEY)
  if (accountId) localStorage.setItem(ACCOUNT_KEY, accountId)
  location.replace('/')
}

/** `/invitation#token=…`: joins an account, as the user who is signed in or as a new one. */
export function InvitationPage() {
  const [token] = useState(readToken)
  useEffect(() => history.replaceState(null, '', '/invitation'), [])
  const { data, error, refetch } = useData({
    query: InvitationQuery,
    variables: { token },
    requestPolicy: 'network-only',
  })
  if (error && !data) {
    return (
      <SignedOutLayout title={t('invitation.title')}>
        <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner>
      </SignedOutLayout>
    )
  }
  if (!data) {
    return (
      <SignedOutLayout title={t('invitation.title')}>
        <CircularProgress size={24} aria-label={t('link.progress')} />
      </SignedOutLayout>
    )
  }
  const { invitation, viewer } = data
  if (!invitation) {
    return (
      <SignedOutLayout title={t('invitation.title')}>
        <ErrorBanner>{t('invitation.gone')}</ErrorBanner>
        <Button component={Link} to="/" size="large" fullWidth sx={{ mt: 4.5 }}>
          {t('invitation.home')}
        </Button>
      </SignedOutLayout>
    )
  }
  const text = t('invitation.text', {
    inviter: invitation.invitedBy,
    account: invitation.accountName,
    role: t(`role.${invitation.role}`),
  })
  return (
    <SignedOutLayout title={t('invitation.title')} text={text}>
      {viewer ? <Join token={token} /> : <SignUp token={token} email={invitation.email} />}
    </SignedOutLayout>
  )
}

function Join({ token }: { token: string }) {
  const [{ fetching }, execute] = useMutation(AcceptInvitation)
  const [error, setError] = useState<string>()
  const join = async () => {
    const result = await execute({ input: { token } })
    const [failure] = userErrors(result)
    if (failure) setError(failure.message)
    else enter(result.data?.acceptInvitation.accountId ?? null)
  }
  return (
    <Box sx={{ display: 'grid', gap: 4.5 }}>
      {error && <ErrorBanner>{error}</ErrorBanner>}
      <Button variant="contained" color="primary" size="large" disabled={fetching} onClick={() => void join()}>
        {t('invitation.join')}
      </Button>
    </Box>
  )
}

function SignUp({ token, email }: { token: string; email: string }) {
  const navigate = useNavigate()
  const [password, setPassword] = useState('')
  const [error, setError] = useState<{ field: string | null; message: string }>()
  const [busy, setBusy] = useState(false)
  const submit = async () => {
    setBusy(true)
    const result = await acceptInvitation(token, password)
    if (result.ok) return enter(result.accountId)
    setBusy(false)
    setError(result.error)
  }
  return (
    <Box
      component="form"
      noValidate
      onSubmit={(event: React.FormEvent) => {
        event.preventDefault()
        void submit()
      }}
      sx={{ display: 'grid', gap: 4.5 }}
    >
      {error && error.field !== 'password' && <ErrorBanner>{error.message}</ErrorBanner>}
      <Box sx={{ overflowWrap: 'anywhere' }}>{t('invitation.newUser', { email })}</Box>
      <Field
        label={t('signIn.password')}
        hint={t('signUp.passwordHint')}
        error={error?.field === 'password' ? error.message : undefined}
      >
        {(control) => (
          <PasswordInput control={control} value={password} onChange={setPassword} autoComplete="new-password" />
        )}
      </Field>
      <Button type="submit" variant="contained" color="primary" size="large" disabled={busy || password === ''}>
        {t('invitation.signUp')}
      </Button>
      <Button size="large" onClick={() => void navigate('/sign-in?next=%2Finvitation')}>
        {t('invitation.signIn')}
      </Button>
    </Box>
  )
}
