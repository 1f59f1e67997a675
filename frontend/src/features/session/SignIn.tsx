import { Box, Button, Link as MuiLink, OutlinedInput, Typography } from '@mui/material'
import { useState } from 'react'
import { Link, Navigate, useSearchParams } from 'react-router'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { Field } from '@/shared/components/Field'
import { PasswordInput } from '@/shared/components/PasswordInput'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import { signIn, signUp } from './auth'
import { IdentityProviderButton, SignInOptionsQuery, problemOf } from './IdentityProviderButton'
import { SignedOutLayout } from './SignedOutLayout'

/** Only paths of this page's own origin: "//host" and "/\host" lead elsewhere, also with a tab in them. */
export const safeNext = (next: string | null) => (next && /^\/(?![/\\])\P{Cc}*$/u.test(next) ? next : '/')

/** Signs in, or signs up (`create`). Both lead to `?next=`, else to the stores. */
export function SignIn({ create = false }: { create?: boolean }) {
  const [search] = useSearchParams()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState<{ field: string | null; message: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const next = search.get('next')
  const signUpOpen = useData({ query: SignInOptionsQuery, variables: {} }).data?.signUpOpen
  const problem = problemOf(search)

  const submit = async () => {
    if (!email.trim()) return setError({ field: 'email', message: t('signIn.emailMissing') })
    if (!password) return setError({ field: 'password', message: t('signIn.passwordMissing') })
    setBusy(true)
    const result = await (create ? signUp : signIn)(email.trim(), password)
    if (result.ok) return location.replace(safeNext(next))
    setBusy(false)
    setError(result.error)
  }
  const errorOf = (field: string) => (error?.field === field ? error.message : undefined)
  const other = next ? `?next=${encodeURIComponent(next)}` : ''
  if (create && signUpOpen === false) return <Navigate to={`/sign-in${other}`} replace />
  return (
    <SignedOutLayout title={create ? t('signUp.title') : t('signIn.title')} text={t('signIn.text')}>
      <Box
        component="form"
        noValidate
        onSubmit={(event: React.FormEvent) => {
          event.preventDefault()
          void submit()
        }}
        sx={{ display: 'grid', gap: 4.5 }}
      >
        {error?.field === null && <ErrorBanner>{error.message}</ErrorBanner>}
        {!error && problem && <ErrorBanner>{t(`oidc.${problem}`)}</ErrorBanner>}
        <Field label={t('signIn.email')} error={errorOf('email')}>
          {(control) => (
            <OutlinedInput
              type="email"
              autoFocus
              value={email}
              onChange={(event) => {
                setEmail(event.target.value)
                setError(null)
              }}
              inputProps={{ ...control, autoComplete: 'username' }}
              sx={{ minHeight: 42 }}
            />
          )}
        </Field>
        <Field
          label={t('signIn.password')}
          error={errorOf('password')}
          hint={create ? t('signUp.passwordHint') : undefined}
        >
          {(control) => (
            <PasswordInput
              control={control}
              value={password}
              onChange={(value) => {
                setPassword(value)
                setError(null)
              }}
              autoComplete={create ? 'new-password' : 'current-password'}
            />
          )}
        </Field>
        <Button type="submit" variant="contained" color="primary" size="large" disabled={busy} sx={{ mt: 1.5 }}>
          {create ? t('signUp.submit') : t('signIn.submit')}
        </Button>
        <IdentityProviderButton next={safeNext(next)} problem={problem} />
      </Box>
      <Typography
        variant="body2"
        sx={{
          color: vars.textSecondary,
          mt: 5,
          textAlign: 'center',
          visibility: create || signUpOpen ? 'visible' : 'hidden',
        }}
      >
        {create ? t('signUp.hasAccount') : t('signIn.noAccount')}{' '}
        <MuiLink component={Link} to={(create ? '/sign-in' : '/sign-up') + other} underline="always">
          {create ? t('signIn.submit') : t('signUp.submit')}
        </MuiLink>
      </Typography>
    </SignedOutLayout>
  )
}
