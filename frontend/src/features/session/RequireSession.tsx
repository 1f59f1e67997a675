import { Box, Typography } from '@mui/material'
import { Suspense, lazy, useMemo, useState } from 'react'
import { Navigate, useLocation } from 'react-router'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { signedOut } from '@/shared/graphql/connection'
import { errorMessage } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { ACCOUNT_KEY, SessionContext, ViewerQuery, accountOf } from './viewer'

const SignInAgain = lazy(() => import('./SignInAgain').then((module) => ({ default: module.SignInAgain })))

/** Shows its children to a signed-in user, and the way to sign in to others. */
export function RequireSession({ children, fallback }: { children: React.ReactNode; fallback: React.ReactNode }) {
  const { data, error, refetch } = useData({ query: ViewerQuery, variables: {} })
  const [chosen, setChosen] = useState(() => localStorage.getItem(ACCOUNT_KEY))
  const ended = signedOut.use()
  const { pathname, search } = useLocation()
  const viewer = data?.viewer
  const session = useMemo(() => {
    const account = viewer ? accountOf(viewer, chosen) : undefined
    if (!viewer || !account) return null
    return {
      user: viewer.user,
      impersonation: viewer.impersonation,
      isOperator: viewer.isOperator,
      accounts: viewer.accountsConnection.nodes,
      account,
      canWrite: account.role !== 'VIEWER',
      chooseAccount: (id: string) => {
        localStorage.setItem(ACCOUNT_KEY, id)
        setChosen(id)
      },
      refetch,
    }
  }, [viewer, chosen, refetch])

  // An ended session keeps its page, and with it what was typed there.
  const [last, setLast] = useState(session)
  if (session !== null && session !== last) setLast(session)
  const shown = session ?? last
  if (shown) {
    const { email, id } = shown.user
    return (
      <SessionContext value={shown}>
        {children}
        <Suspense>{(ended || viewer === null) && <SignInAgain email={email} userId={id} />}</Suspense>
      </SessionContext>
    )
  }
  if (viewer) {
    return (
      <Box component="main" sx={{ p: 10, textAlign: 'center' }}>
        <Typography variant="h1">{t('session.noAccount')}</Typography>
      </Box>
    )
  }
  if (viewer === null || ended) {
    return <Navigate to={`/sign-in?next=${encodeURIComponent(pathname + search)}`} replace />
  }
  if (error) {
    return (
      <Box component="main" sx={{ maxWidth: 480, mx: 'auto', p: 10 }}>
        <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner>
      </Box>
    )
  }
  return fallback
}
