import { Box, Button, Link as MuiLink, Tab, Tabs, Typography } from '@mui/material'
import { Suspense, lazy, useEffect } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { ellipsis, muted } from '@/shared/components/styles'
import { errorMessage } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { ArrowLeft, ArrowUpRight, ChevronRight } from '@/shared/icons'
import { useKeys } from '@/shared/keys'
import { vars } from '@/shared/tokens'
import { showToast } from '@/shared/toast'
import { useSession } from '@/features/session/viewer'
import { useEngines } from '@/features/stores/useEngines'
import { StateTag } from '@/features/stores/StateIcon'
import { PageSkeleton } from '@/shared/components/Skeleton'
import { SimulatedTag } from '@/features/stores/SimulatedTag'
import { isMoving, progressOf } from '@/features/stores/state'
import { useRetryStore } from '@/features/stores/useRetryStore'
import { StoreQuery, type StoreDetail } from './documents'
import { Overview } from './Overview'
import { StoreMenu } from './StoreMenu'

const Activity = lazy(() => import('./Activity').then((module) => ({ default: module.Activity })))
const Logs = lazy(() => import('./logs/Logs').then((module) => ({ default: module.Logs })))
const Settings = lazy(() => import('./settings/Settings').then((module) => ({ default: module.Settings })))

const TABS = ['overview', 'activity', 'logs', 'settings'] as const
type TabName = (typeof TABS)[number]
const PANELS = { overview: Overview, activity: Activity, logs: Logs, settings: Settings }
const isTab = (name: string): name is TabName => (TABS as readonly string[]).includes(name)

/** `/stores/:slug/:tab`. */
export function StorePage() {
  const { slug = '', tab = 'overview' } = useParams()
  return <LoadedStore key={slug} slug={slug} tab={isTab(tab) ? tab : 'overview'} />
}

function LoadedStore({ slug, tab }: { slug: string; tab: TabName }) {
  const { data, error, refetch } = useData({ query: StoreQuery, variables: { slug } })
  const { settled } = useEngines()
  if (data?.store && settled) return <StoreTabs store={data.store} tab={tab} />
  if (data?.store === null) return <NoSuchStore />
  if (error) return <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner>
  return <PageSkeleton />
}

function StoreTabs({ store, tab }: { store: StoreDetail; tab: TabName }) {
  const navigate = useNavigate()
  const { canWrite } = useSession()
  const { retry } = useRetryStore()
  const path = (name: TabName) => `/stores/${store.slug}${name === 'overview' ? '' : `/${name}`}`
  const go = (name: TabName) => void navigate(path(name))
  const ready = store.status === 'READY'
  const Panel = PANELS[tab]
  const { done, total } = progressOf(store, undefined)
  const moving = isMoving(store)

  useEffect(() => {
    const prefix = moving ? `${done}/${total} ` : ''
    document.title = `${prefix}${store.name} · ${t('product')}`
  }, [moving, done, total, store.name])
  useKeys({
    '1': () => go('overview'),
    '2': () => go('activity'),
    '3': () => go('logs'),
    '4': () => go('settings'),
    o: () => ready && window.open(store.url, '_blank', 'noreferrer'),
    y: () => void navigator.clipboard.writeText(store.url).then(() => showToast({ text: t('store.addressCopied') })),
    r: () => canWrite && store.status === 'FAILED' && retry(store.id),
    Escape: () => void navigate('/'),
  })
  return (
    <>
      <Box component="nav" aria-label={t('store.path')} sx={crumbs}>
        <MuiLink component={Link} to="/" sx={{ display: 'inline-flex', alignItems: 'center', minHeight: 24 }}>
          {t('stores.title')}
        </MuiLink>
        <ChevronRight sx={{ fontSize: 14, color: vars.textTertiary, '[dir="rtl"] &': { transform: 'scaleX(-1)' } }} />
        <Box component="span" aria-current="page" sx={{ color: vars.text, ...ellipsis }}>
          {store.name}
        </Box>
      </Box>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 3, flexWrap: 'wrap', mb: 3 }}>
        <Typography variant="display" component="h1" sx={{ minWidth: 0, flex: { xs: '1 1 0', sm: '0 1 auto' } }}>
          {store.name}
        </Typography>
        <Box sx={{ display: 'flex', gap: 3, order: { xs: 1, sm: 0 }, width: { xs: '100%', sm: 'auto' } }}>
          <StateTag store={store} />
          {store.receipt?.simulated && <SimulatedTag />}
        </Box>
        <Box sx={{ ml: 'auto', display: 'flex', gap: 2 }}>
          {ready && tab !== 'overview' && (
            <Button
              href={store.url}
              target="_blank"
              rel="noreferrer"
              aria-label={t('store.openShop')}
              sx={{ height: { xs: 40, sm: 34 }, width: { xs: 40, sm: 'auto' }, gap: 1.5 }}
            >
              <Box component="span" sx={{ display: { xs: 'none', sm: 'inline' } }}>
                {t('store.openShop')}
              </Box>
              <ArrowUpRight />
            </Button>
          )}
          <StoreMenu store={store} />
        </Box>
      </Box>
      <Tabs value={tab} aria-label={store.name} sx={{ borderBottom: `1px solid ${vars.border}`, mb: 6 }}>
        {TABS.map((name) => (
          <Tab
            key={name}
            value={name}
            label={t(`tab.${name}`)}
            id={`tab-${name}`}
            aria-controls="panel"
            component={Link}
            to={path(name)}
          />
        ))}
      </Tabs>
      <Box role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`} tabIndex={-1} sx={{ outline: 'none' }}>
        <Suspense>
          <Panel store={store} />
        </Suspense>
      </Box>
    </>
  )
}

function NoSuchStore() {
  return (
    <Box sx={{ textAlign: 'center', pt: 20 }}>
      <Typography variant="display" component="h1" sx={{ mb: 2 }}>
        {t('store.notFoundTitle')}
      </Typography>
      <Typography sx={{ color: vars.textSecondary, mb: 6 }}>{t('store.notFoundText')}</Typography>
      <Button component={Link} to="/" startIcon={<ArrowLeft />}>
        {t('stores.all')}
      </Button>
    </Box>
  )
}

const crumbs = { display: 'flex', alignItems: 'center', gap: 1, mb: 3, ...muted }
