import { Box } from '@mui/material'
import { t } from '@/shared/i18n'
import { v } from '@/shared/theme'
import { Bar } from '@/features/stores/Placeholders'

/** The store page before the first answer. */
export function StoreSkeleton() {
  return (
    <Box role="status" aria-label={t('loading')} sx={{ display: 'grid', gap: 6 }}>
      <Bar width={140} />
      <Bar width={320} height={28} />
      <Bar width={280} />
      <Box sx={{ height: 180, borderRadius: '12px', border: `1px solid ${v.line}`, bgcolor: v.surface }} />
    </Box>
  )
}
