import { apiText, rich, t } from '@/shared/i18n'
import { duration, useNow, useTimeText } from '@/shared/time'
import { StepProgress } from './StepProgress'
import type { Engine, Store } from './documents'
import { displayState, isMoving, progressOf } from './state'
import css from './StoreSummary.module.css'

const DAY_MS = 86_400_000

/** What there is to say of a store in one line. */
export function StoreSummary({ store, engine }: { store: Store; engine: Engine | undefined }) {
  const state = displayState(store)
  if (isMoving(store)) return <Progress store={store} engine={engine} />
  switch (state) {
    case 'failed':
      return store.cause && apiText(store.cause)
    case 'degraded':
    case 'down':
      return store.health?.cause && apiText(store.health.cause)
    case 'deleting':
      return store.cause ? apiText(store.cause) : t('summary.deleting')
    case 'suspended':
      return store.cause ? apiText(store.cause) : t('summary.suspended')
    case 'ready':
      return <Healthy since={store.health?.since ?? store.createdAt} />
    default:
      return t('summary.requested')
  }
}

function Healthy({ since }: { since: string }) {
  const text = useTimeText(15000, (now) => {
    const days = Math.floor((now - Date.parse(since)) / DAY_MS)
    return days > 0 ? t('summary.healthyDays', { count: days }) : t('summary.healthy')
  })
  return <span className={css.tertiary}>{text}</span>
}

function Progress({ store, engine }: { store: Store; engine: Engine | undefined }) {
  const { steps, current, number, total } = progressOf(store, engine)
  const started = current?.startedAt ?? null
  const now = useNow(1000, started !== null)
  return (
    <span className={css.progress}>
      <span className={css.bar}>
        <StepProgress steps={steps} compact />
      </span>
      <span className={css.text}>
        <span className={css.step}>
          {rich('summary.step', {
            number: <span className={css.number}>{t('progress.of', { number, total })}</span>,
            title: current?.title ?? '',
          })}
        </span>
        {started !== null && <span className={css.running}>{duration(now - started)}</span>}
      </span>
    </span>
  )
}
