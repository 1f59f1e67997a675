import { Box } from '@mui/material'
import { inset, tabular } from '@/shared/components/styles'
import { rich, t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import { formatMinute } from '@/shared/time'
import type { Limits } from './documents'

const TIGHT = 0.9
/** More pieces than this can't be told apart: then it is one bar. */
const MAX_PIECES = 40

/** How much of both limits is used. */
export function Meters({ account }: { account: Limits }) {
  const { storeQuota, storesUsed, creationsPerHour, creationsLeft, nextCreationAt } = account
  const left = Math.max(0, storeQuota - storesUsed)
  return (
    <Box sx={{ display: 'grid', gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' } }}>
      <Meter title={t('stores.title')} used={storesUsed} limit={storeQuota} note={t('limits.more', { count: left })} />
      <Box sx={{ ...inset, py: 4, ...border }}>
        <Box sx={{ display: 'flex', alignItems: 'baseline' }}>
          <Box sx={{ flex: 1 }}>{t('limits.now')}</Box>
          <Box sx={{ fontSize: '1.375rem', lineHeight: 1, fontWeight: 600, ...tabular }}>{creationsLeft}</Box>
        </Box>
        <Box sx={{ mt: 4, fontSize: '0.8125rem', color: nextCreationAt ? vars.warnFg : vars.textSecondary }}>
          {nextCreationAt
            ? t('limits.nextAt', { time: formatMinute(nextCreationAt) })
            : t('limits.perHour', { limit: creationsPerHour })}
        </Box>
      </Box>
    </Box>
  )
}

interface MeterProps {
  title: string
  used: number
  limit: number
  note: string
}

function Meter({ title, used, limit, note }: MeterProps) {
  const tight = limit > 0 && used / limit >= TIGHT
  const pieces = Math.min(limit, MAX_PIECES)
  const filled = limit > 0 ? Math.ceil((used / limit) * pieces) : 0
  return (
    <Box sx={{ ...inset, py: 4 }}>
      <Box sx={{ display: 'flex', alignItems: 'baseline', mb: 2.5 }}>
        <Box sx={{ flex: 1 }}>{title}</Box>
        <Box sx={{ color: vars.textSecondary, ...tabular }}>
          {rich('limits.used', {
            used: (
              <Box component="span" sx={{ fontWeight: 550, color: vars.text }}>
                {used}
              </Box>
            ),
            limit: String(limit),
          })}
        </Box>
      </Box>
      <Box
        role="meter"
        aria-label={title}
        aria-valuenow={used}
        aria-valuemin={0}
        aria-valuemax={limit}
        sx={{ display: 'flex', gap: '2px', height: 10 }}
      >
        {Array.from({ length: pieces }, (_, i) => (
          <Box
            key={i}
            sx={{
              flex: 1,
              bgcolor: i < filled ? (tight ? vars.warnFg : vars.stripe) : vars.surfaceSunken,
              borderRadius: '1px 1px 3px 3px',
            }}
          />
        ))}
      </Box>
      <Box sx={{ mt: 2, fontSize: '0.8125rem', color: tight ? vars.warnFg : vars.textSecondary }}>{note}</Box>
    </Box>
  )
}

const border = {
  borderLeft: { sm: `1px solid ${vars.border}` },
  borderTop: { xs: `1px solid ${vars.border}`, sm: 0 },
}
