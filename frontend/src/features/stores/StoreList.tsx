import { Box } from '@mui/material'
import { useEffect, useRef, useState } from 'react'
import { visuallyHidden } from '@/shared/components/styles'
import { whenIdle } from '@/shared/idle'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import { useLiveEvents } from '@/features/events/bus'
import { useEngines } from './useEngines'
import type { Store } from './documents'
import { GROUPS, groupOf, type Group } from './state'
import { StoreCard, StoreRow } from './StoreRow'

const TINT_MS = 1_400
const TINT_CHECK_MS = 200
const FIRST_ROWS = 16
const MORE_ROWS = 28

export interface StoreGroup {
  group: Group
  stores: Store[]
}

/** Stores by group, empty groups left out. `held`: a store that stays where it is while somebody is about to use it. */
export function groupStores(stores: Store[], held: { id: string; group: Group } | null): StoreGroup[] {
  const group = (store: Store) => (held?.id === store.id ? held.group : groupOf(store))
  return GROUPS.map((name) => ({ group: name, stores: stores.filter((store) => group(store) === name) })).filter(
    (part) => part.stores.length > 0,
  )
}

interface ListProps {
  groups: StoreGroup[]
  selectedId: string | undefined
  wide: boolean
  onHold: (store: Store | null) => void
}

/**
 * The stores: a table on wide screens, cards on narrow ones. The table's elements are blocks, which the browser can
 * skip out of sight, so that a list of a thousand costs no more than a short one; roles keep them a table.
 */
export function StoreList({ groups, selectedId, wide, onHold }: ListProps) {
  const { engineOf, planOf } = useEngines()
  const changed = useChangedStores()
  const stores = groups.flatMap((part) => part.stores)
  const shown = firstStores(groups, useShownRows(stores.length))
  const hold = {
    onFocus: (event: React.FocusEvent) => {
      const slug = event.target.closest('[data-store]')?.getAttribute('data-store')
      onHold(event.target.matches(':focus-visible') ? (stores.find((store) => store.slug === slug) ?? null) : null)
    },
    onBlur: () => onHold(null),
  }
  const common = (store: Store) => ({
    store,
    engine: engineOf(store.engine),
    changed: changed.has(store.id),
  })
  if (!wide) {
    return shown.map((part) => (
      <Box key={part.group} component="section" aria-label={t(`group.${part.group}`)} sx={{ mb: 5 }} {...hold}>
        <Box component="h2" sx={{ m: 0, mb: 2, fontSize: '0.8125rem', fontWeight: 550, color: vars.textSecondary }}>
          {t(`group.${part.group}`)} <Count>{part.total}</Count>
        </Box>
        <Box component="ul" sx={{ ...card, listStyle: 'none', m: 0, p: 0, overflow: 'clip' }}>
          {part.stores.map((store) => (
            <StoreCard key={store.id} {...common(store)} />
          ))}
        </Box>
      </Box>
    ))
  }
  return (
    <Box
      component="table"
      role="table"
      aria-label={t('stores.title')}
      sx={{ ...card, display: 'block', overflow: 'clip' }}
      {...hold}
    >
      <Box component="thead" role="rowgroup" sx={visuallyHidden}>
        <tr role="row">
          {COLUMN_NAMES.map((name) => (
            <th key={name} role="columnheader" scope="col">
              {t(`stores.column${name}`)}
            </th>
          ))}
        </tr>
      </Box>
      {shown.map((part, i) => (
        <Box key={part.group} component="tbody" role="rowgroup" sx={{ display: 'block' }}>
          <Box component="tr" role="row" sx={{ display: 'block' }}>
            <Box
              component="th"
              role="rowheader"
              scope="rowgroup"
              colSpan={5}
              sx={{ ...groupHead, borderTop: i ? `1px solid ${vars.border}` : 0 }}
            >
              {t(`group.${part.group}`)} <Count>{part.total}</Count>
            </Box>
          </Box>
          {part.stores.map((store) => (
            <StoreRow
              key={store.id}
              {...common(store)}
              planTitle={planOf(store.plan)?.title ?? ''}
              selected={store.id === selectedId}
            />
          ))}
        </Box>
      ))}
    </Box>
  )
}

const COLUMN_NAMES = ['Store', 'State', 'Plan', 'Created', 'Action'] as const
const card = { bgcolor: vars.surface, border: `1px solid ${vars.border}`, borderRadius: '12px' }
const groupHead = {
  display: 'flex',
  alignItems: 'center',
  fontWeight: 550,
  fontSize: '0.75rem',
  color: vars.textSecondary,
  height: 34,
  px: 5,
  bgcolor: vars.surfaceSunken,
}

function Count({ children }: { children: number }) {
  return (
    <Box component="span" sx={{ color: vars.textTertiary, fontWeight: 400, ml: 1 }}>
      {children}
    </Box>
  )
}

/** The rows of the first screen appear at once, the others when the browser is idle; then all of them stay. */
function useShownRows(total: number) {
  const [shown, setShown] = useState(FIRST_ROWS)
  useEffect(() => {
    if (shown >= total) return
    return whenIdle(() => setShown(shown + MORE_ROWS))
  }, [shown, total])
  return shown
}

/** The first `count` stores, still in groups; `total`: of the whole group. */
function firstStores(groups: StoreGroup[], count: number) {
  let left = count
  return groups
    .map(({ group, stores }) => {
      const part = { group, total: stores.length, stores: stores.slice(0, left) }
      left -= part.stores.length
      return part
    })
    .filter(({ stores }) => stores.length > 0)
}

/** The stores that changed their state lately, for as long as their rows are tinted. */
function useChangedStores() {
  const [changed, setChanged] = useState<ReadonlySet<string>>(new Set())
  const times = useRef(new Map<string, number>())
  useLiveEvents(({ type, storeId }) => {
    if (type === 'STATUS' || type === 'HEALTH') times.current.set(storeId, Date.now())
  })
  useEffect(() => {
    const timer = setInterval(() => {
      const all = times.current
      for (const [id, at] of all) if (Date.now() - at > TINT_MS) all.delete(id)
      setChanged((before) => {
        const same = before.size === all.size && [...before].every((id) => all.has(id))
        return same ? before : new Set(all.keys())
      })
    }, TINT_CHECK_MS)
    return () => clearInterval(timer)
  }, [])
  return changed
}
