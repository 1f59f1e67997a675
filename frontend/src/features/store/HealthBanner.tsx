import { Box, Button } from '@mui/material'
import { Link } from 'react-router'
import { apiText, t } from '@/shared/i18n'
import { Terminal } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { RelativeTime } from '@/shared/time'
import { StateIcon } from '@/features/stores/StateIcon'
import { DISPLAY, TONES, displayState } from '@/features/stores/state'
import type { StoreDetail } from './documents'

/** A READY store that is DEGRADED or DOWN: since when, and why. */
export function HealthBanner({ store }: { store: StoreDetail }) {
  const state = displayState(store)
  const { fg, bg, border } = TONES[DISPLAY[state].tone]
  if (store.health === null || store.health.state === 'HEALTHY') return null
  return (
    <Box
      role="region"
      aria-label={t('health.title')}
      sx={{
        display: 'flex',
        gap: 3.5,
        p: { xs: 4, sm: 5 },
        borderRadius: '12px',
        border: `1px solid ${border}`,
        bgcolor: bg,
      }}
    >
      <StateIcon state={state} size={20} />
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ fontWeight: 600, color: fg }}>
          {t(`health.${store.health.state}Title`)}
          <Box component="span" sx={{ fontWeight: 400, color: vars.textSecondary }}>
            {' · '}
            <RelativeTime at={store.health.since} />
          </Box>
        </Box>
        <Box sx={{ mt: 1, textWrap: 'pretty', maxWidth: '62ch' }}>
          {store.health.cause && apiText(store.health.cause)}
        </Box>
        <Button
          component={Link}
          to={`/stores/${store.slug}/logs`}
          size="small"
          startIcon={<Terminal />}
          sx={{ mt: 3.5 }}
        >
          {t('store.seeLogs')}
        </Button>
      </Box>
    </Box>
  )
}
