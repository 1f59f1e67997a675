import { Box, Button } from '@mui/material'
import { Link } from 'react-router'
import { CopyButton } from '@/shared/components/CopyButton'
import { DescriptionList, type Description } from '@/shared/components/DescriptionList'
import { Section } from '@/shared/components/Card'
import { ellipsis, muted, plainList, tabular } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { Day, duration, useNow } from '@/shared/time'
import { EventLine } from '@/features/events/EventLine'
import { useStoreEvents } from '@/features/events/useStoreEvents'
import { useEngines } from '@/features/stores/useEngines'
import { addressOf, displayState, progressOf, type ShownStep } from '@/features/stores/state'
import { Credentials } from './Credentials'
import { countryName, languageName } from './create/countries'
import type { StoreDetail } from './documents'
import { StatusCard } from './StatusCard'
import { HealthBanner } from './HealthBanner'
import { NextSteps } from './NextSteps'
import { ReceiptPlaceholder, Receipt } from './Receipt'
import { Timeline } from './Timeline'

const RECENT_EVENTS = 5
const FRESH_MS = 20_000
const column = { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: 6, minWidth: 0 }

/** The first tab: how the store is, and what to do next. */
export function Overview({ store }: { store: StoreDetail }) {
  const { engineOf } = useEngines()
  const state = displayState(store)
  const ready = store.status === 'READY'
  /** An update and a resumption take only some of the steps; the others keep their times. */
  const first = store.readyAt === null
  const { steps } = progressOf(store, engineOf(store.engine))
  const hasTimeline = ['provisioning', 'updating', 'resuming', 'failed', 'requested'].includes(state)
  return (
    <Box
      sx={{
        display: 'grid',
        gap: 6,
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'minmax(0, 1fr) 320px' },
        alignItems: 'start',
      }}
    >
      <Box sx={column}>
        {(state === 'degraded' || state === 'down') && <HealthBanner store={store} />}
        <StatusCard store={store} />
        {ready && <Credentials key={store.id} store={store} />}
        {hasTimeline && (
          <Section title={first ? t('timeline.title') : t('timeline.again')} aside={first && <Elapsed steps={steps} />}>
            <Timeline steps={steps} />
          </Section>
        )}
        <RecentEvents store={store} />
      </Box>
      <Box sx={column}>
        {ready && state !== 'down' && <NextSteps store={store} />}
        {ready && store.receipt && <Receipt store={store} receipt={store.receipt} fresh={isFresh(store.readyAt)} />}
        {!ready && first && state !== 'deleting' && state !== 'deleted' && <ReceiptPlaceholder />}
        <About store={store} />
      </Box>
    </Box>
  )
}

const isFresh = (readyAt: string | null) => readyAt !== null && Date.now() - Date.parse(readyAt) < FRESH_MS

function Elapsed({ steps }: { steps: ShownStep[] }) {
  const start = steps.find(({ startedAt }) => startedAt !== null)?.startedAt ?? null
  const running = steps.some(({ status }) => status === 'RUNNING')
  const now = useNow(100, running)
  if (start === null || !running) return null
  return <Box sx={{ ...muted, ...tabular }}>{t('timeline.soFar', { duration: duration(now - start) })}</Box>
}

function RecentEvents({ store }: { store: StoreDetail }) {
  const { events } = useStoreEvents(store.id, 2 * RECENT_EVENTS)
  // A failure comes as the step's trouble, the step's end and the store's status, which say the same.
  const distinct = events.filter(({ message }, i) => message !== events[i - 1]?.message)
  return (
    <Section
      title={t('overview.recent')}
      aside={
        <Button component={Link} to={`/stores/${store.slug}/activity`} variant="text" size="small" sx={{ mr: -2 }}>
          {t('overview.allActivity')}
        </Button>
      }
    >
      <Box component="ol" sx={{ ...plainList, py: 1.5, minHeight: 48 }}>
        {distinct.slice(0, RECENT_EVENTS).map((event) => (
          <EventLine key={event.cursor} event={event} />
        ))}
      </Box>
    </Section>
  )
}

function About({ store }: { store: StoreDetail }) {
  const { engineOf, planOf } = useEngines()
  const plan = planOf(store.plan)
  const rows: Description[] = [
    [
      t('about.address'),
      <>
        <Box component="span" dir="ltr" sx={ellipsis}>
          {addressOf(store)}
        </Box>
        <CopyButton text={store.url} label={t('store.copyAddress')} size={24} />
      </>,
    ],
    [t('about.engine'), engineOf(store.engine)?.title],
    [t('about.release'), store.release],
    [t('about.plan'), plan?.title],
    [t('about.country'), countryName(store.country)],
    [t('about.currency'), store.currency],
    [t('about.language'), languageName(store.language)],
    [t('about.created'), <Day key="created" at={store.createdAt} />],
  ]
  if (store.readyAt !== null) {
    rows.push([t('about.readyAfter'), duration(Date.parse(store.readyAt) - Date.parse(store.createdAt))])
  }
  return (
    <Section title={t('about.title')}>
      <DescriptionList rows={rows} />
    </Section>
  )
}
