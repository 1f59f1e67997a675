import { Button, CircularProgress } from '@mui/material'
import { useEffect, useState } from 'react'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { t } from '@/shared/i18n'
import { signInByLink } from './auth'
import { SignedOutLayout } from './SignedOutLayout'

const PREFIX = '#token='

/** The token of a single-use link; it is in the fragment, which browsers don't send to servers. */
export const linkToken = (hash: string) => (hash.startsWith(PREFIX) ? hash.slice(PREFIX.length) : null)

/** A link is used once, also where React runs effects twice. */
let used: ReturnType<typeof signInByLink> | undefined

/** `/sign-in#token=…`: signs in by a link, and removes the token from the address bar. */
export function SignInLink({ token, onGiveUp }: { token: string; onGiveUp: () => void }) {
  const [error, setError] = useState<string>()
  useEffect(() => {
    history.replaceState(null, '', '/sign-in')
    used ??= signInByLink(token)
    let active = true
    void used.then((result) => {
      if (result.ok) location.replace('/')
      else if (active) setError(result.error.message)
    })
    return () => {
      active = false
    }
  }, [token])
  return (
    <SignedOutLayout title={t('link.title')}>
      {error === undefined ? (
        <CircularProgress size={24} aria-label={t('link.progress')} />
      ) : (
        <>
          <ErrorBanner>{error}</ErrorBanner>
          <Button size="large" fullWidth onClick={onGiveUp} sx={{ mt: 4.5 }}>
            {t('link.password')}
          </Button>
        </>
      )}
    </SignedOutLayout>
  )
}
