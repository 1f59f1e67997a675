import { Box, IconButton } from '@mui/material'
import { useColorScheme } from '@mui/material/styles'
import { Suspense, lazy, useEffect, useState } from 'react'
import { Link, Outlet, useLocation, useNavigate } from 'react-router'
import { LiveUpdates } from '@/features/events/LiveUpdates'
import { useSession } from '@/features/session/viewer'
import { ConnectionLost } from '@/features/events/ConnectionState'
import { Logo } from '@/shared/brand/Logo'
import { ErrorBoundary } from '@/shared/components/ErrorBoundary'
import { visuallyHidden } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { Monitor, Moon, Store, Sun, User } from '@/shared/icons'
import { useKeys } from '@/shared/keys'
import { vars } from '@/shared/tokens'
import { PageSkeleton } from '@/shared/components/Skeleton'
import { Favicon } from './Favicon'
import { UserMenuButton } from './UserMenuButton'
import { BottomNavigation } from './BottomNavigation'
import { SearchButton } from './SearchButton'
import { Toasts } from './Toasts'
import { barInner, barOuter, page } from './layout'

const Notices = lazy(() => import('@/features/session/Notices').then((module) => ({ default: module.Notices })))
const CommandPalette = lazy(() =>
  import('@/features/commandPalette/CommandPalette').then((module) => ({ default: module.CommandPalette })),
)
const Shortcuts = lazy(() => import('./Shortcuts').then((module) => ({ default: module.Shortcuts })))
const Tour = lazy(() => import('./Tour').then((module) => ({ default: module.Tour })))
const CreateDialog = lazy(() =>
  import('@/features/store/create/CreateDialog').then((module) => ({ default: module.CreateDialog })),
)

const NEXT_MODE = { light: 'dark', dark: 'system', system: 'light' } as const
const MODE_ICON = { light: Sun, dark: Moon, system: Monitor } as const
const TOUR_KEY = 'sf-tour'

/** The bar, the page below it, and what can appear over all pages. */
export function Shell() {
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const { account, canWrite, impersonation } = useSession()
  const { mode = 'system', setMode } = useColorScheme()
  const [open, setOpen] = useState<'palette' | 'shortcuts' | 'tour' | null>(() =>
    localStorage.getItem(TOUR_KEY) === null ? 'tour' : null,
  )
  const close = () => setOpen(null)
  const scheme = mode ?? 'system'
  const ModeIcon = MODE_ICON[scheme]
  const changeMode = () => setMode(NEXT_MODE[scheme])
  const creating = pathname === '/new'

  useEffect(() => {
    window.scrollTo(0, 0)
  }, [pathname])
  useKeys({
    'mod+k': () => setOpen(open === 'palette' ? null : 'palette'),
    '/': () => document.getElementById('filter')?.focus(),
    c: () => canWrite && void navigate('/new'),
    'g s': () => void navigate('/'),
    'g a': () => void navigate('/account'),
    t: changeMode,
    '?': () => setOpen('shortcuts'),
  })
  const items = [
    { to: '/', label: t('nav.stores'), icon: Store, current: !/^\/(account|operator)/.test(pathname) },
    { to: '/account', label: t('nav.account'), icon: User, current: pathname.startsWith('/account') },
  ]
  const modeLabel = t('mode.label', { mode: t(`mode.${scheme}`) })
  return (
    <Box sx={{ minHeight: '100dvh', display: 'flex', flexDirection: 'column', pb: { xs: '72px', sm: 0 } }}>
      <Box component="a" href="#main" sx={skipLink}>
        {t('nav.skip')}
      </Box>
      <LiveUpdates accountId={account.id} />
      <Favicon accountId={account.id} />
      <Box component="header" sx={barOuter}>
        <Box sx={barInner}>
          <Box component={Link} to="/" aria-label={t('nav.home')} sx={home}>
            <Logo />
            {t('product')}
          </Box>
          <Box component="nav" aria-label={t('nav.label')} sx={{ display: { xs: 'none', sm: 'flex' }, gap: 1 }}>
            {items.map(({ to, label, current }) => (
              <Box
                key={to}
                component={Link}
                to={to}
                aria-current={current ? 'page' : undefined}
                sx={{
                  ...itemStyle,
                  color: current ? vars.text : vars.textSecondary,
                  bgcolor: current ? vars.surfaceSunken : 'transparent',
                }}
              >
                {label}
              </Box>
            ))}
          </Box>
          <Box sx={{ ml: 'auto', display: 'flex', alignItems: 'center', gap: 2 }}>
            <SearchButton onClick={() => setOpen('palette')} />
            <IconButton
              aria-label={modeLabel}
              title={modeLabel}
              onClick={changeMode}
              sx={{ display: { xs: 'none', sm: 'inline-flex' } }}
            >
              <ModeIcon sx={{ fontSize: 17 }} />
            </IconButton>
            <UserMenuButton
              modeLabel={modeLabel}
              modeIcon={<ModeIcon />}
              onMode={changeMode}
              onShortcuts={() => setOpen('shortcuts')}
              onTour={() => setOpen('tour')}
            />
          </Box>
        </Box>
      </Box>
      <Suspense>{(impersonation || account.suspension) && <Notices />}</Suspense>
      <Box component="main" id="main" tabIndex={-1} sx={page}>
        {pathname !== '/' && !creating && <ConnectionLost />}
        <ErrorBoundary resetKey={pathname}>
          <Suspense fallback={<PageSkeleton />}>
            <Outlet key={account.id} />
          </Suspense>
        </ErrorBoundary>
      </Box>
      <BottomNavigation items={items} canWrite={canWrite} />
      <Toasts />
      <Suspense>
        {open === 'palette' && <CommandPalette onClose={close} onShortcuts={() => setOpen('shortcuts')} />}
        {open === 'shortcuts' && <Shortcuts onClose={close} />}
        {open === 'tour' && !creating && (
          <Tour
            onClose={() => {
              localStorage.setItem(TOUR_KEY, 'seen')
              close()
            }}
          />
        )}
        {creating && <CreateDialog key={account.id} />}
      </Suspense>
    </Box>
  )
}

const skipLink = {
  ...visuallyHidden,
  '&:focus': {
    position: 'fixed',
    clipPath: 'none',
    width: 'auto',
    height: 'auto',
    top: 8,
    left: 8,
    zIndex: 2000,
    bgcolor: vars.raised,
    p: 2,
    borderRadius: '8px',
  },
}
const home = {
  display: 'flex',
  alignItems: 'center',
  gap: 2.5,
  textDecoration: 'none',
  fontWeight: 600,
  fontSize: '0.9375rem',
  letterSpacing: '-0.01em',
}
const itemStyle = {
  display: 'flex',
  alignItems: 'center',
  px: 2.5,
  height: 32,
  borderRadius: '8px',
  textDecoration: 'none',
  fontSize: '0.875rem',
  fontWeight: 500,
  '&:hover': { color: vars.text },
}
