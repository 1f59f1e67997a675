import { Box, Button } from '@mui/material'
import { useState } from 'react'
import { Link } from 'react-router'
import { Card } from '@/shared/components/Card'
import { Chips } from '@/shared/components/Chips'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { FilterInput } from '@/shared/components/FilterInput'
import { inset, plainList } from '@/shared/components/styles'
import { errorMessage } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { Ago } from '@/shared/time'
import { v } from '@/shared/tokens'
import { useDebounced } from '@/shared/useDebounced'
import { LimitsDialog, ReasonDialog, type Asked } from './AccountDialogs'
import { AccountsQuery, type OperatorAccount } from './documents'

const PAGE = 25
const SHOWN = { all: null, suspended: true } as const

/** All accounts: their members, limits, and whether they are suspended. */
export function Accounts() {
  const [search, setSearch] = useState('')
  const [shown, setShown] = useState<keyof typeof SHOWN>('all')
  const wanted = useDebounced(search.trim())
  return (
    <>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 3, alignItems: 'center', mb: 4 }}>
        <Chips
          label={t('operator.whichAccounts')}
          value={shown}
          onChange={setShown}
          chips={[
            { value: 'all', label: t('group.all') },
            { value: 'suspended', label: t('operator.suspended') },
          ]}
        />
        <FilterInput
          label={t('operator.filterAccounts')}
          value={search}
          onChange={setSearch}
          sx={{ ml: { sm: 'auto' }, width: { xs: '100%', sm: 260 } }}
        />
      </Box>
      <AccountList key={`${shown} ${wanted}`} search={wanted} suspended={SHOWN[shown]} />
    </>
  )
}

function AccountList({ search, suspended }: { search: string; suspended: true | null }) {
  const [cursors, setCursors] = useState<(string | null)[]>([null])
  return (
    <Card component="ul" aria-label={t('operator.accounts')} sx={{ ...plainList, overflow: 'clip' }}>
      {cursors.map((after, i) => (
        <AccountPage
          key={after}
          variables={{ first: PAGE, after, search, suspended }}
          onMore={i === cursors.length - 1 ? (next) => setCursors([...cursors, next]) : undefined}
        />
      ))}
    </Card>
  )
}

interface AccountPageProps {
  variables: { first: number; after: string | null; search: string; suspended: true | null }
  /** Undefined: the next page is there already. */
  onMore: ((cursor: string) => void) | undefined
}

function AccountPage({ variables, onMore }: AccountPageProps) {
  const { data, error, refetch } = useData({ query: AccountsQuery, variables })
  const page = data?.operator?.accounts
  if (error && !page) {
    return (
      <li>
        <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner>
      </li>
    )
  }
  const next = page?.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
  return (
    <>
      {page?.nodes.map((account) => (
        <AccountRow key={account.accountId} account={account} />
      ))}
      {page?.nodes.length === 0 && variables.after === null && (
        <Box component="li" sx={{ ...inset, py: 4, color: v.ink2 }}>
          {t('operator.noAccounts')}
        </Box>
      )}
      {next !== null && onMore && (
        <Box component="li" sx={{ ...inset, py: 3, borderTop: `1px solid ${v.line}` }}>
          <Button size="small" onClick={() => onMore(next)}>
            {t('stores.more')}
          </Button>
        </Box>
      )}
    </>
  )
}

function AccountRow({ account }: { account: OperatorAccount }) {
  const { accountId, name, members, storesUsed, storeQuota, creationsPerHour, ownLimits, suspension } = account
  const [asked, setAsked] = useState<Asked | 'limits' | null>(null)
  const close = () => setAsked(null)
  return (
    <Box component="li" sx={{ ...inset, py: 3.5, '& + &': { borderTop: `1px solid ${v.line}` } }}>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 2 }}>
        <Box sx={{ flex: '1 1 16rem', minWidth: 0 }}>
          <Box sx={{ fontWeight: 550, overflowWrap: 'anywhere' }}>{name}</Box>
          <Box sx={{ fontSize: '0.8125rem', color: v.ink2 }}>
            {t('stores.used', { used: storesUsed, quota: storeQuota })} ·{' '}
            {t('limits.perHour', { limit: creationsPerHour })}
            {ownLimits && ` · ${t('operator.ownLimits')}`}
          </Box>
        </Box>
        <Button size="small" component={Link} to={`/operator/stores?account=${encodeURIComponent(accountId)}`}>
          {t('stores.title')}
        </Button>
        <Button size="small" onClick={() => setAsked('limits')} aria-label={t('operator.limitsOf', { name })}>
          {t('operator.limits')}
        </Button>
        <Button
          size="small"
          onClick={() => setAsked({ kind: suspension ? 'resume' : 'suspend' })}
          aria-label={suspension ? t('operator.resumeNamed', { name }) : t('operator.suspendNamed', { name })}
        >
          {suspension ? t('operator.resume') : t('operator.suspend')}
        </Button>
      </Box>
      {suspension && (
        <Box sx={{ mt: 1.5, fontSize: '0.8125rem', color: v.warnFg, overflowWrap: 'anywhere' }}>
          {t('operator.suspendedFor', { reason: suspension.reason })} · <Ago at={suspension.since} />
        </Box>
      )}
      <Box component="ul" sx={{ ...plainList, mt: 1.5, fontSize: '0.8125rem' }}>
        {members.map(({ userId, email, role }) => (
          <Box component="li" key={userId} sx={{ display: 'flex', alignItems: 'center', gap: 2, minHeight: 32 }}>
            <Box sx={{ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }}>
              {email} <span>{t(`role.${role}`)}</span>
            </Box>
            <Button
              size="small"
              variant="text"
              onClick={() => setAsked({ kind: 'impersonate', userId, email })}
              aria-label={t('operator.signInAsNamed', { email })}
            >
              {t('operator.signInAs')}
            </Button>
          </Box>
        ))}
      </Box>
      {asked === 'limits' && <LimitsDialog account={account} onClose={close} />}
      {asked !== null && asked !== 'limits' && <ReasonDialog account={account} asked={asked} onClose={close} />}
    </Box>
  )
}
