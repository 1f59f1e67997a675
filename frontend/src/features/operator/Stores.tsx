import { Box, Button, Link as MuiLink } from '@mui/material'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { Card } from '@/shared/components/Card'
import { Chips } from '@/shared/components/Chips'
import { FilterInput } from '@/shared/components/FilterInput'
import { PagedList } from '@/shared/components/PagedList'
import { inset } from '@/shared/components/styles'
import type { VariablesOf } from '@/shared/graphql/graphql'
import { apiText, t } from '@/shared/i18n'
import { RelativeTime } from '@/shared/time'
import { mono, vars } from '@/shared/tokens'
import { useDebounced } from '@/shared/useDebounced'
import { useEngines } from '@/features/stores/useEngines'
import { StateIcon } from '@/features/stores/StateIcon'
import { displayState, type DisplayState } from '@/features/stores/state'
import { OperatorStoresQuery, type OperatorStore } from './documents'

type Shown = 'all' | 'failed' | 'unhealthy' | 'progress' | 'suspended'
const SHOWN: Record<Shown, NonNullable<VariablesOf<typeof OperatorStoresQuery>['filter']>> = {
  all: {},
  failed: { status: ['FAILED'] },
  unhealthy: { health: ['DEGRADED', 'DOWN'] },
  progress: { status: ['REQUESTED', 'PROVISIONING', 'UPDATING', 'RESUMING', 'SUSPENDING', 'DELETING'] },
  suspended: { status: ['SUSPENDED'] },
}

/** Stores of all accounts; `?account=` those of one, `?cause=` those that fail for the same cause. */
export function Stores() {
  const [parameters, setParameters] = useSearchParams()
  const [search, setSearch] = useState('')
  const [shown, setShown] = useState<Shown>('all')
  const wanted = useDebounced(search.trim())
  const cause = parameters.get('cause')
  const accountId = parameters.get('account')
  return (
    <>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 3, alignItems: 'center', mb: 4 }}>
        <Chips
          label={t('stores.which')}
          value={shown}
          onChange={setShown}
          chips={(Object.keys(SHOWN) as Shown[]).map((value) => ({
            value,
            label: value === 'all' ? t('group.all') : t(`operator.${value}`),
          }))}
        />
        <FilterInput
          label={t('stores.filter')}
          value={search}
          onChange={setSearch}
          sx={{ ml: { sm: 'auto' }, width: { xs: '100%', sm: 260 } }}
        />
      </Box>
      {(cause ?? accountId) !== null && (
        <Box sx={{ display: 'flex', alignItems: 'center', gap: 3, mb: 4, fontSize: '0.8125rem' }}>
          <Box sx={{ color: vars.textSecondary, overflowWrap: 'anywhere' }}>
            {cause ? apiText(cause) : t('operator.oneAccount')}
          </Box>
          <Button size="small" onClick={() => setParameters({})}>
            {t('stores.showAll')}
          </Button>
        </Box>
      )}
      <Card sx={{ overflow: 'clip' }}>
        <PagedList
          label={t('stores.title')}
          query={OperatorStoresQuery}
          variables={{ filter: { ...SHOWN[shown], search: wanted }, cause, accountId }}
          connectionOf={({ operator }) => operator?.stores}
          keyOf={({ storeId }) => storeId}
          empty={t('operator.noStores')}
        >
          {(store) => <StoreRow store={store} />}
        </PagedList>
      </Card>
    </>
  )
}

function StoreRow({ store }: { store: OperatorStore }) {
  const { name, url, accountName, engine, plan, status, health, cause, namespace, createdAt } = store
  const { engineOf, planOf } = useEngines()
  const state: DisplayState = displayState({
    status,
    health: health && { state: health, cause: null, since: createdAt },
  })
  return (
    <Box
      component="li"
      sx={{ ...inset, py: 3, display: 'flex', gap: 3, '& + &': { borderTop: `1px solid ${vars.border}` } }}
    >
      <Box sx={{ pt: 0.5 }}>
        <StateIcon state={state} size={16} />
      </Box>
      <Box sx={{ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }}>
        <Box sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 2, alignItems: 'baseline' }}>
          <MuiLink href={url} target="_blank" rel="noreferrer" sx={{ fontWeight: 550 }}>
            {name}
          </MuiLink>
          <Box component="span">{t(`state.${state}`)}</Box>
          <Box component="span" sx={{ ml: 'auto', fontSize: '0.8125rem', color: vars.textSecondary }}>
            <RelativeTime at={createdAt} />
          </Box>
        </Box>
        <Box sx={{ fontSize: '0.8125rem', color: vars.textSecondary }}>
          {[accountName, engineOf(engine)?.title ?? engine, planOf(plan)?.title ?? plan].join(' · ')}
        </Box>
        {cause && <Box sx={{ fontSize: '0.8125rem', mt: 0.5 }}>{apiText(cause)}</Box>}
        <Box sx={{ fontFamily: mono, fontSize: '0.75rem', color: vars.textTertiary, mt: 0.5 }}>{namespace}</Box>
      </Box>
    </Box>
  )
}
