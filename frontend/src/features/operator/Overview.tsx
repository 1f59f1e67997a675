import { Box, Link as MuiLink } from '@mui/material'
import { Link } from 'react-router'
import { Section } from '@/shared/components/Card'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { PagedList } from '@/shared/components/PagedList'
import { inset, plainList, tabular } from '@/shared/components/styles'
import { errorMessage } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { apiText, t } from '@/shared/i18n'
import { RelativeTime, duration } from '@/shared/time'
import { vars } from '@/shared/tokens'
import { useEngines } from '@/features/stores/useEngines'
import type { DisplayState } from '@/features/stores/state'
import { CapacityMeters } from './CapacityMeters'
import { ReadyChart, StatusChart } from './Charts'
import { OverviewQuery, StuckStoresQuery, type Cause, type EngineTimes, type StuckStore } from './documents'
import { slowestSteps } from './figures'

const SLOWEST = 5
const STUCK = 10

/** What fails, what is stuck, what is slow, and what there is room for. */
export function Overview() {
  const { data, error, refetch } = useData({ query: OverviewQuery, variables: {} })
  const shown = data?.operator
  if (!shown) return error ? <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner> : null
  return (
    <Box
      sx={{ display: 'grid', gap: 6, gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'repeat(2, minmax(0, 1fr))' } }}
    >
      <Section title={t('operator.byStatus')}>
        <StatusChart counts={shown.statusCounts} />
      </Section>
      <Section title={t('operator.failing')}>
        <Causes causes={shown.failing} />
      </Section>
      <Section title={t('operator.capacity')}>
        {shown.capacity.length === 0 && <Nothing>{t('operator.noCapacity')}</Nothing>}
        {shown.capacity.map((capacity) => (
          <CapacityMeters key={capacity.cluster} capacity={capacity} />
        ))}
      </Section>
      <Section title={t('operator.stuck')}>
        <PagedList
          label={t('operator.stuck')}
          query={StuckStoresQuery}
          variables={{}}
          connectionOf={({ operator }) => operator?.stuck}
          keyOf={({ storeId }) => storeId}
          first={STUCK}
          empty={t('operator.noStuck')}
        >
          {(store) => <Stuck store={store} />}
        </PagedList>
      </Section>
      <Section title={t('operator.readyTimes')}>
        {shown.readyTimes.length === 0 && <Nothing>{t('operator.noTimes')}</Nothing>}
        {shown.readyTimes.map((times) => (
          <ReadyChart key={times.engine} times={times} />
        ))}
      </Section>
      <Section title={t('operator.slowest')}>
        <Slowest times={shown.readyTimes} />
      </Section>
    </Box>
  )
}

const Nothing = ({ children }: { children: React.ReactNode }) => (
  <Box sx={{ ...inset, py: 4, color: vars.textSecondary }}>{children}</Box>
)

function Causes({ causes }: { causes: Cause[] }) {
  if (causes.length === 0) return <Nothing>{t('operator.noFailing')}</Nothing>
  return (
    <Box component="ul" sx={plainList}>
      {causes.map(({ cause, failed, unhealthy }) => (
        <Box component="li" key={cause} sx={row}>
          <MuiLink
            component={Link}
            to={`/operator/stores?cause=${encodeURIComponent(cause)}`}
            sx={{ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }}
          >
            {apiText(cause)}
          </MuiLink>
          <Box component="span" sx={{ ...aside, color: vars.badFg }}>
            {t('operator.storesWith', { count: failed + unhealthy })}
          </Box>
        </Box>
      ))}
    </Box>
  )
}

function Stuck({ store }: { store: StuckStore }) {
  const { name, accountName, status, cause, lastEventAt } = store
  return (
    <Box component="li" sx={row}>
      <Box sx={{ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }}>
        <Box sx={{ fontWeight: 550 }}>{name}</Box>
        <Box sx={{ fontSize: '0.8125rem', color: vars.textSecondary }}>
          {[accountName, t(`state.${status.toLowerCase() as DisplayState}`), cause && apiText(cause)]
            .filter(Boolean)
            .join(' · ')}
        </Box>
      </Box>
      <Box component="span" sx={aside}>
        {lastEventAt && <RelativeTime at={lastEventAt} />}
      </Box>
    </Box>
  )
}

function Slowest({ times }: { times: EngineTimes[] }) {
  const { engineOf } = useEngines()
  const steps = slowestSteps(times, SLOWEST)
  if (steps.length === 0) return <Nothing>{t('operator.noTimes')}</Nothing>
  return (
    <Box component="ol" sx={plainList}>
      {steps.map(({ engine, name, medianMs, p95Ms }) => (
        <Box component="li" key={`${engine} ${name}`} sx={row}>
          <Box sx={{ flex: 1, minWidth: 0 }}>
            {apiText(engineOf(engine)?.steps.find((step) => step.name === name)?.title ?? name)}
            <Box sx={{ fontSize: '0.8125rem', color: vars.textSecondary }}>{engineOf(engine)?.title ?? engine}</Box>
          </Box>
          <Box component="span" sx={aside}>
            {t('operator.stepTimes', { median: duration(medianMs), p95: duration(p95Ms) })}
          </Box>
        </Box>
      ))}
    </Box>
  )
}

const row = { ...inset, display: 'flex', gap: 4, py: 2.5, '& + &': { borderTop: `1px solid ${vars.border}` } } as const
const aside = { flex: 'none', fontSize: '0.8125rem', color: vars.textSecondary, ...tabular } as const
