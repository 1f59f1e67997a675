import { Box } from '@mui/material'
import { rich, t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import { formatMinute } from '@/shared/time'
import type { Account } from '@/features/session/viewer'

export const storesLeft = (account: Account) => Math.max(0, account.storeQuota - account.storesUsed)

/** What is left of both limits; when neither allows another store, why and until when. */
export function Limits({ account }: { account: Account }) {
  const left = storesLeft(account)
  const strong = (text: string) => (
    <Box component="span" sx={{ color: vars.text, fontWeight: 550 }}>
      {text}
    </Box>
  )
  if (left === 0)
    return <Box sx={{ color: vars.warnFg }}>{t('limits.quotaReached', { quota: account.storeQuota })}</Box>
  if (account.creationsLeft === 0) {
    return (
      <Box sx={{ color: vars.warnFg }}>
        {account.nextCreationAt
          ? t('limits.nextAt', { time: formatMinute(account.nextCreationAt) })
          : t('limits.hourly', { count: account.creationsPerHour })}
      </Box>
    )
  }
  return (
    <>
      {rich('limits.storesLeft', { left: strong(t('stores.used', { used: left, quota: account.storeQuota })) })}
      {account.creationsLeft < left && (
        <Box component="span" sx={{ display: { xs: 'none', sm: 'inline' } }}>
          {t('limits.thisHour', { count: account.creationsLeft })}
        </Box>
      )}
    </>
  )
}
