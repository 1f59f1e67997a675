import { Box, Button } from '@mui/material'
import { useState } from 'react'
import { Link } from 'react-router'
import { Card } from '@/shared/components/Card'
import { Chips } from '@/shared/components/Chips'
import { FilterInput } from '@/shared/components/FilterInput'
import { PagedList } from '@/shared/components/PagedList'
import { inset, plainList } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { RelativeTime } from '@/shared/time'
import { vars } from '@/shared/tokens'
import { useDebounced } from '@/shared/useDebounced'
import { LimitsDialog, ReasonDialog, type Asked } from './AccountDialogs'
import { AccountsQuery, type OperatorAccount } from './documents'

const SHOWN = { all: null, suspended: true } as const
interface Dialog {
  account: OperatorAccount
  asked: Asked | 'limits'
}

/** All accounts: their members, limits, and whether they are suspended. */
export function Accounts() {
  const [search, setSearch] = useState('')
  const [shown, setShown] = useState<keyof typeof SHOWN>('all')
  // Not in the row: the filter may take the row away while its dialog is open.
  const [dialog, setDialog] = useState<Dialog | null>(null)
  const wanted = useDebounced(search.trim())
  const close = () => setDialog(null)
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
      <Card sx={{ overflow: 'clip' }}>
        <PagedList
          label={t('operator.accounts')}
          query={AccountsQuery}
          variables={{ search: wanted, suspended: SHOWN[shown] }}
          connectionOf={({ operator }) => operator?.accounts}
          keyOf={({ accountId }) => accountId}
          empty={t('operator.noAccounts')}
        >
          {(account) => <AccountRow account={account} onAsk={(asked) => setDialog({ account, asked })} />}
        </PagedList>
      </Card>
      {dialog?.asked === 'limits' && <LimitsDialog account={dialog.account} onClose={close} />}
      {dialog && dialog.asked !== 'limits' && (
        <ReasonDialog account={dialog.account} asked={dialog.asked} onClose={close} />
      )}
    </>
  )
}

interface AccountRowProps {
  account: OperatorAccount
  onAsk: (asked: Dialog['asked']) => void
}

function AccountRow({ account, onAsk }: AccountRowProps) {
  const { accountId, name, members, storesUsed, storeQuota, creationsPerHour, ownLimits, suspension } = account
  return (
    <Box component="li" sx={{ ...inset, py: 3.5, '& + &': { borderTop: `1px solid ${vars.border}` } }}>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 2 }}>
        <Box sx={{ flex: '1 1 16rem', minWidth: 0 }}>
          <Box sx={{ fontWeight: 550, overflowWrap: 'anywhere' }}>{name}</Box>
          <Box sx={{ fontSize: '0.8125rem', color: vars.textSecondary }}>
            {t('stores.used', { used: storesUsed, quota: storeQuota })} ·{' '}
            {t('limits.perHour', { limit: creationsPerHour })}
            {ownLimits && ` · ${t('operator.ownLimits')}`}
          </Box>
        </Box>
        <Button size="small" component={Link} to={`/operator/stores?account=${encodeURIComponent(accountId)}`}>
          {t('stores.title')}
        </Button>
        <Button size="small" onClick={() => onAsk('limits')} aria-label={t('operator.limitsOf', { name })}>
          {t('operator.limits')}
        </Button>
        <Button
          size="small"
          onClick={() => onAsk({ kind: suspension ? 'resume' : 'suspend' })}
          aria-label={suspension ? t('operator.resumeNamed', { name }) : t('operator.suspendNamed', { name })}
        >
          {suspension ? t('operator.resume') : t('operator.suspend')}
        </Button>
      </Box>
      {suspension && (
        <Box sx={{ mt: 1.5, fontSize: '0.8125rem', color: vars.warnFg, overflowWrap: 'anywhere' }}>
          {t('operator.suspendedFor', { reason: suspension.reason })} · <RelativeTime at={suspension.since} />
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
              onClick={() => onAsk({ kind: 'impersonate', userId, email })}
              aria-label={t('operator.signInAsNamed', { email })}
            >
              {t('operator.signInAs')}
            </Button>
          </Box>
        ))}
      </Box>
    </Box>
  )
}
