import { Box } from '@mui/material'
import { inset, tabular } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { formatLocale } from '@/shared/i18n/locale'
import { RelativeTime } from '@/shared/time'
import { vars } from '@/shared/tokens'
import type { Capacity } from './documents'
import { resources } from './figures'

const TIGHT = 0.9
const numbers = new Intl.NumberFormat(formatLocale, { maximumFractionDigits: 1 })

/** What the nodes of a cluster have for pods, and what its stores request. */
export function CapacityMeters({ capacity }: { capacity: Capacity }) {
  const { cluster, nodes, stores, recordedAt } = capacity
  return (
    <Box sx={{ ...inset, py: 4, '& + &': { borderTop: `1px solid ${vars.border}` } }}>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'baseline', columnGap: 3, mb: 3 }}>
        <Box component="span" sx={{ fontWeight: 550 }}>
          {cluster}
        </Box>
        <Box component="span" sx={{ flex: 1, fontSize: '0.8125rem', color: vars.textSecondary }}>
          {t('operator.nodes', { count: nodes })} · {t('operator.running', { count: stores })}
        </Box>
        <Box component="span" sx={{ fontSize: '0.8125rem', color: vars.textSecondary }}>
          <RelativeTime at={recordedAt} />
        </Box>
      </Box>
      <Box sx={{ display: 'grid', gap: 3 }}>
        {resources(capacity).map(({ name, used, limit }) => {
          const part = limit > 0 ? Math.min(1, used / limit) : 1
          const colour = part >= TIGHT ? vars.warnFg : vars.stripe
          return (
            <div key={name}>
              <Box sx={{ display: 'flex', fontSize: '0.8125rem', mb: 1 }}>
                <Box sx={{ flex: 1 }}>{t(`operator.${name}`)}</Box>
                <Box sx={{ color: vars.textSecondary, ...tabular }}>
                  {t('operator.of', { used: numbers.format(used), limit: numbers.format(limit) })}
                </Box>
              </Box>
              <Box
                role="meter"
                aria-label={t('operator.meter', { name: t(`operator.${name}`), cluster })}
                aria-valuenow={used}
                aria-valuemin={0}
                aria-valuemax={limit}
                sx={{ height: 10, bgcolor: vars.surfaceSunken, borderRadius: '3px', overflow: 'clip' }}
              >
                <Box sx={{ height: 1, width: part, bgcolor: colour }} />
              </Box>
            </div>
          )
        })}
      </Box>
    </Box>
  )
}
