import type { EmotionCache } from '@emotion/cache'
import { CacheProvider } from '@emotion/react'
import { CssBaseline } from '@mui/material'
import { ThemeProvider, createTheme } from '@mui/material/styles'
import { Suspense, lazy } from 'react'
import { BrowserRouter, Route, Routes } from 'react-router'
import { Provider as GraphQLProvider } from 'urql'
import { writeEventStore } from '@/features/events/cache'
import { RequireSession } from '@/features/session/RequireSession'
import { createGraphQLClient } from '@/shared/graphql/client'
import { direction } from '@/shared/i18n/locale'
import { theme } from '@/shared/theme'
import { StoresPage } from '@/features/stores/StoresPage'
import { AppSkeleton } from './AppSkeleton'
import { NotFound } from './NotFound'
import { preloadPage } from './preload'
import { Shell } from './Shell'

const SignIn = lazy(() => import('@/features/session/SignIn').then(({ SignIn: page }) => ({ default: page })))
const SignInPage = lazy(() => import('@/features/session/SignInPage').then((page) => ({ default: page.SignInPage })))
const StorePage = lazy(() => import('@/features/store/StorePage').then((page) => ({ default: page.StorePage })))
const AccountPage = lazy(() => import('@/features/account/AccountPage').then((page) => ({ default: page.AccountPage })))

const AuditPage = lazy(() => import('@/features/account/AuditPage').then((page) => ({ default: page.AuditPage })))
const MembersPage = lazy(() => import('@/features/members/MembersPage').then((page) => ({ default: page.MembersPage })))
const WebhooksPage = lazy(() =>
  import('@/features/webhooks/WebhooksPage').then((page) => ({ default: page.WebhooksPage })),
)
const WebhookPage = lazy(() =>
  import('@/features/webhooks/WebhookPage').then((page) => ({ default: page.WebhookPage })),
)
const OperatorPage = lazy(() =>
  import('@/features/operator/OperatorPage').then((page) => ({ default: page.OperatorPage })),
)
const InvitationPage = lazy(() =>
  import('@/features/members/InvitationPage').then((page) => ({ default: page.InvitationPage })),
)

const client = createGraphQLClient(writeEventStore)
void preloadPage(client)
const localTheme = direction === 'rtl' ? createTheme(theme, { direction }) : theme

const Private = () => (
  <RequireSession fallback={<AppSkeleton />}>
    <Shell />
  </RequireSession>
)

export function AppRoutes() {
  return (
    <Suspense fallback={<AppSkeleton />}>
      <Routes>
        <Route path="/sign-in" element={<SignInPage />} />
        <Route path="/invitation" element={<InvitationPage />} />
        <Route path="/sign-up" element={<SignIn create />} />
        <Route element={<Private />}>
          <Route path="/" element={<StoresPage />} />
          <Route path="/new" element={<StoresPage />} />
          <Route path="/stores/:slug/:tab?" element={<StorePage />} />
          <Route path="/account" element={<AccountPage />} />
          <Route path="/account/members" element={<MembersPage />} />
          <Route path="/account/audit" element={<AuditPage />} />
          <Route path="/account/webhooks" element={<WebhooksPage />} />
          <Route path="/account/webhooks/:id" element={<WebhookPage />} />
          <Route path="/operator/:tab?" element={<OperatorPage />} />
          <Route path="*" element={<NotFound />} />
        </Route>
      </Routes>
    </Suspense>
  )
}

export function App({ cache }: { cache: EmotionCache }) {
  return (
    <CacheProvider value={cache}>
      <ThemeProvider theme={localTheme} defaultMode="system" modeStorageKey="sf-mode">
        <CssBaseline enableColorScheme />
        <GraphQLProvider value={client}>
          {/* A transition would wait behind the running seconds of steps. */}
          <BrowserRouter useTransitions={false}>
            <AppRoutes />
          </BrowserRouter>
        </GraphQLProvider>
      </ThemeProvider>
    </CacheProvider>
  )
}
