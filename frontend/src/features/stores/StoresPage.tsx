import { Box, Button, Typography, useMediaQuery, useTheme } from '@mui/material'
import { useEffect, useState } from 'react'
import { useNavigate } from 'react-router'
import { Chips } from '@/shared/components/Chips'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { FilterInput } from '@/shared/components/FilterInput'
import { Kbd } from '@/shared/components/Kbd'
import { tabular } from '@/shared/components/styles'
import { errorMessage } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { Plus } from '@/shared/icons'
import { useKeys } from '@/shared/keys'
import { vars } from '@/shared/tokens'
import { useDebounced } from '@/shared/useDebounced'
import { ConnectionState } from '@/features/events/ConnectionState'
import { useSession } from '@/features/session/viewer'
import { useEngines } from './useEngines'
import type { Store } from './documents'
import { StateIcon } from './StateIcon'
import { StoresSkeleton } from '@/shared/components/Skeleton'
import { NoMatch, NoStores } from './EmptyStates'
import { OrderMenu } from './OrderMenu'
import { StoreList, groupStores } from './StoreList'
import { GROUPS, groupOf, type DisplayState, type Group } from './state'
import { useGroupCounts } from './useGroupCounts'
import { useRetryStore } from './useRetryStore'
import { useStorePages, type StoreOrder } from './useStorePages'

const GROUP_STATE: Record<Group, DisplayState> = {
  attention: 'failed',
  progress: 'provisioning',
  open: 'ready',
  closed: 'suspended',
}

/** The account's stores, live. */
export function StoresPage() {
  const navigate = useNavigate()
  const { account, canWrite } = useSession()
  const wide = useMediaQuery(useTheme().breakpoints.up('md'))
  const [search, setSearch] = useState('')
  const [chosen, setChosen] = useState<Group | 'all'>('all')
  const [order, setOrder] = useState<StoreOrder>('NEWEST')
  const [selected, setSelected] = useState(-1)
  const [held, setHeld] = useState<{ id: string; group: Group } | null>(null)
  const counts = useGroupCounts(account.id)
  const wanted = useDebounced(search.trim())
  const { settled } = useEngines()
  const pages = useStorePages({ accountId: account.id, search: wanted, order })
  const { stores, error, refetch, loadMore } = pages
  const loaded = pages.loaded && settled
  const { retry } = useRetryStore()

  const all = groupStores(stores, held)
  const groups = chosen === 'all' ? all : all.filter(({ group }) => group === chosen)
  // What the numbers would move appears with them.
  const appears = { visibility: counts === undefined ? 'hidden' : 'visible' }
  const flat = groups.flatMap((part) => part.stores)
  const current = flat[selected]
  const count = counts?.all ?? (loaded ? stores.length : undefined)
  const empty = loaded && !loadMore && count === 0 && !search && stores.length === 0

  useEffect(() => {
    const prefix = counts?.attention ? `(${counts.attention}) ` : ''
    document.title = `${prefix}${t('stores.title')} · ${t('product')}`
  }, [counts?.attention])

  // A group is whole only when all pages are there.
  useEffect(() => {
    if (chosen !== 'all') loadMore?.()
  }, [chosen, loadMore])

  const hold = (store: Store | null) => setHeld(store && { id: store.id, group: groupOf(store) })
  const select = (index: number) => {
    const next = Math.max(0, Math.min(flat.length - 1, index))
    setSelected(next)
    hold(flat[next] ?? null)
    document.getElementById(`row-${flat[next]?.id ?? ''}`)?.scrollIntoView({ block: 'nearest' })
  }
  useKeys({
    j: () => select(selected + 1),
    k: () => select(selected - 1),
    Enter: () => current && void navigate(`/stores/${current.slug}`),
    o: () => current?.status === 'READY' && window.open(current.url, '_blank', 'noreferrer'),
    r: () => current?.status === 'FAILED' && canWrite && retry(current.id),
    Escape: () => {
      setSelected(-1)
      setHeld(null)
    },
  })

  if (empty) return <NoStores />
  const chips = [
    { value: 'all' as const, label: t('group.all'), count: counts?.all },
    ...GROUPS.map((group) => ({
      value: group,
      label: t(`group.${group}`),
      count: counts?.[group],
      icon: <StateIcon state={GROUP_STATE[group]} size={14} part={0.6} />,
    })),
  ]
  return (
    <>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 3, mb: 5, flexWrap: 'wrap' }}>
        <Box sx={{ flex: 1, display: 'flex', alignItems: 'baseline', flexWrap: 'wrap', columnGap: 3 }}>
          <Typography variant="display" component="h1">
            {t('stores.title')}
          </Typography>
          <Box component="span" sx={{ color: vars.textSecondary, ...tabular, ...appears }}>
            {count !== undefined && t('stores.used', { used: count, quota: account.storeQuota })}
          </Box>
          <Box component="span" sx={appears}>
            <ConnectionState />
          </Box>
        </Box>
        <FilterInput
          label={t('stores.filter')}
          value={search}
          onChange={(value) => {
            setSearch(value)
            setSelected(-1)
          }}
          sx={{ width: { xs: '100%', sm: 220 }, order: { xs: 2, sm: 0 } }}
        />
        {canWrite && (
          <Button
            variant="contained"
            color="primary"
            startIcon={<Plus />}
            endIcon={<Kbd on="accent">C</Kbd>}
            onClick={() => void navigate('/new')}
            sx={{ display: { xs: 'none', sm: 'inline-flex' }, height: 36 }}
          >
            {t('stores.create')}
          </Button>
        )}
      </Box>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 3, mb: 4 }}>
        <Box sx={{ flex: 1, minWidth: 0, ...appears }}>
          <Chips label={t('stores.which')} value={chosen} chips={chips} onChange={setChosen} />
        </Box>
        <OrderMenu value={order} onChange={setOrder} />
      </Box>
      {error && <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner>}
      {!loaded && !error && <StoresSkeleton />}
      {loaded && flat.length === 0 && !(chosen !== 'all' && loadMore) && (
        <NoMatch
          search={search}
          onReset={() => {
            setSearch('')
            setChosen('all')
          }}
        />
      )}
      {loaded && flat.length > 0 && <StoreList groups={groups} selectedId={current?.id} wide={wide} onHold={hold} />}
      {loadMore && chosen === 'all' && (
        <Box sx={{ mt: 5, textAlign: 'center' }}>
          <Button onClick={loadMore}>{t('more')}</Button>
        </Box>
      )}
    </>
  )
}
