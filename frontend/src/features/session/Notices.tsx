import { Box, Button } from '@mui/material'
import { rich, t } from '@/shared/i18n'
import { Info, Lock } from '@/shared/icons'
import { formatMinute } from '@/shared/time'
import { vars } from '@/shared/tokens'
import { returnToOperator } from './auth'
import { useSession } from './viewer'

/** What a session has to know on each page: an operator is in it, or the account is suspended. */
export function Notices() {
  const { user, account, impersonation } = useSession()
  return (
    <>
      {impersonation && (
        <Box
          role="region"
          aria-label={t('notice.impersonation')}
          sx={{ ...notice, bgcolor: vars.busyBg, color: vars.busyFg }}
        >
          <Info sx={{ flex: 'none' }} />
          <Box sx={{ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }}>
            {rich('notice.signedInAs', {
              operator: impersonation.operator,
              user: <strong>{user.email}</strong>,
              reason: impersonation.reason,
              time: formatMinute(impersonation.expiresAt),
            })}
          </Box>
          <Button size="small" onClick={() => void returnToOperator()}>
            {t('notice.return')}
          </Button>
        </Box>
      )}
      {account.suspension && (
        <Box
          role="region"
          aria-label={t('notice.suspended')}
          sx={{ ...notice, bgcolor: vars.warnBg, color: vars.warnFg }}
        >
          <Lock sx={{ flex: 'none' }} />
          <Box sx={{ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }}>
            {rich('notice.suspendedText', {
              account: account.name,
              reason: <strong>{account.suspension.reason}</strong>,
            })}
          </Box>
        </Box>
      )}
    </>
  )
}

const notice = {
  display: 'flex',
  alignItems: 'center',
  gap: 2,
  px: { xs: 4, sm: 6 },
  py: 2,
  fontSize: '0.8125rem',
  borderBottom: `1px solid ${vars.border}`,
} as const
