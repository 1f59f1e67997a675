import { memo } from 'react'
import { Link } from 'react-router'
import { t } from '@/shared/i18n'
import { ChevronRight } from '@/shared/icons'
import { RelativeTime } from '@/shared/time'
import type { Engine, Store } from './documents'
import { StoreStateIcon } from './StateIcon'
import { StoreAction } from './StoreAction'
import { StoreSummary } from './StoreSummary'
import { DISPLAY, addressOf, displayState, type DisplayState } from './state'
import css from './StoreRow.module.css'
import tones from './tones.module.css'

/** Class names, without those that don't apply. */
const classes = (...names: (string | false | undefined)[]) => names.filter(Boolean).join(' ')

interface RowProps {
  store: Store
  engine: Engine | undefined
  planTitle: string
  selected: boolean
  changed: boolean
}

/** A row of the table. */
export const StoreRow = memo(function StoreRow({ store, engine, planTitle, selected, changed }: RowProps) {
  const state = displayState(store)
  const { tone, group } = DISPLAY[state]
  const showsAction = store.status === 'FAILED' || store.status === 'READY'
  return (
    <tr
      role="row"
      id={`row-${store.id}`}
      data-store={store.slug}
      data-state={state}
      className={classes(css.row, selected && css.selected, changed && css.changed)}
    >
      <td role="cell" className={css.cell}>
        <div className={css.store}>
          <span title={t(`state.${state}`)} className={css.icon}>
            <StoreStateIcon store={store} size={18} />
          </span>
          <div className={css.names}>
            <Link to={`/stores/${store.slug}`} className={css.link}>
              {store.name}
            </Link>
            <div className={css.address}>{addressOf(store)}</div>
          </div>
        </div>
      </td>
      <td role="cell" className={css.cell}>
        <div className={group === 'attention' ? css.cause : css.line}>
          <StateText state={state} hidden={tone === 'busy' || state === 'ready'} />
          <StoreSummary store={store} engine={engine} />
        </div>
      </td>
      <td role="cell" className={css.cell}>
        {engine?.title}
        <div className={css.tertiary}>{planTitle}</div>
      </td>
      <td role="cell" className={classes(css.cell, css.age)}>
        <RelativeTime at={store.createdAt} />
      </td>
      <td role="cell" className={css.cell}>
        <StoreAction store={store} />
        {!showsAction && (
          <span className={css.chevron}>
            <ChevronRight />
          </span>
        )}
      </td>
    </tr>
  )
})

function StateText({ state, hidden }: { state: DisplayState; hidden: boolean }) {
  return (
    <span className={classes(css.state, hidden ? css.hidden : tones[DISPLAY[state].tone])}>{t(`state.${state}`)}</span>
  )
}

/** A store in the list of narrow screens. */
export const StoreCard = memo(function StoreCard({ store, engine, changed }: Omit<RowProps, 'planTitle' | 'selected'>) {
  const state = displayState(store)
  const { tone } = DISPLAY[state]
  return (
    <li data-store={store.slug} data-state={state} className={classes(css.card, changed && css.changed)}>
      <div className={css.cardIcon}>
        <StoreStateIcon store={store} size={18} />
      </div>
      <div className={css.cardText}>
        <div className={css.cardHead}>
          <Link to={`/stores/${store.slug}`} className={css.link}>
            {store.name}
          </Link>
          <span className={css.cardAge}>
            <RelativeTime at={store.createdAt} />
          </span>
        </div>
        <div className={css.address}>{addressOf(store)}</div>
        {state !== 'ready' && (
          <div className={classes(css.cardSummary, tone !== 'busy' && css.cause)}>
            <StateText state={state} hidden={tone === 'busy'} />
            <StoreSummary store={store} engine={engine} />
          </div>
        )}
      </div>
      <StoreAction store={store} compact />
    </li>
  )
})
