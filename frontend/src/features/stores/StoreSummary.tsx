import { Box } from '@mui/material'
import { ellipsis, tabular } from '@/shared/components/styles'
import { rich, t } from '@/shared/i18n'
import { v } from '@/shared/tokens'
import { duration, useNow } from '@/shared/time'
import { Awning } from './Awning'
import type { Engine, Store } from './documents'
import { displayState, isMoving, progressOf } from './state'

const DAY_MS = 86_400_000

/** What there is to say of a store in one line. */
export function StoreSummary({ store, engine }: { store: Store; engine: Engine | undefined }) {
  const state = displayState(store)
  if (isMoving(store)) return <Progress store={store} engine={engine} />
  switch (state) {
    case 'failed':
      return store.cause
    case 'degraded':
    case 'down':
      return store.health?.cause
    case 'deleting':
      return store.cause ?? t('summary.deleting')
    case 'suspended':
      return store.cause ?? t('summary.suspended')
    case 'ready':
      return <Healthy since={store.health?.since ?? store.createdAt} />
    default:
      return t('summary.requested')
  }
}

function Healthy({ since }: { since: string }) {
  const now = useNow(15000)
  const days = Math.floor((now - Date.parse(since)) / DAY_MS)
  return (
    <Box component="span" sx={{ color: v.ink3 }}>
      {days > 0 ? t('summary.healthyDays', { count: days }) : t('summary.healthy')}
    </Box>
  )
}

function Progress({ store, engine }: { store: Store; engine: Engine | undefined }) {
  const { steps, current, number, total } = progressOf(store, engine)
  const started = current?.startedAt ?? null
  const now = useNow(1000, started !== null)
  return (
    <Box component="span" sx={{ display: 'flex', alignItems: 'center', gap: 3, minWidth: 0 }}>
      <Box component="span" sx={{ flex: 'none', width: 54 }}>
        <Awning steps={steps} mini />
      </Box>
      <Box component="span" sx={ellipsis}>
        {rich('summary.step', {
          number: (
            <Box component="span" sx={{ color: v.ink }}>
              {t('progress.of', { number, total })}
            </Box>
          ),
          title: current?.title ?? '',
        })}
        {started !== null && (
          <Box component="span" sx={{ color: v.ink3, ...tabular }}>
            {' · '}
            {duration(now - started)}
          </Box>
        )}
      </Box>
    </Box>
  )
}
