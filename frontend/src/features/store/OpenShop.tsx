import { Box } from '@mui/material'
import { t } from '@/shared/i18n'
import { ArrowUpRight } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { Day } from '@/shared/time'
import { StateIcon } from '@/features/stores/StateIcon'
import { addressOf } from '@/features/stores/state'
import type { StoreDetail } from './documents'
import { titleStyle } from './StatusMessage'

/** The large link to a shop that is open, and since when it is healthy. */
export function OpenShop({ store, healthy }: { store: StoreDetail; healthy: boolean }) {
  return (
    <>
      <Box component="a" href={store.url} target="_blank" rel="noreferrer" sx={shopLink}>
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <Box sx={{ color: vars.textSecondary, mb: 0.5 }}>{t('store.openShop')}</Box>
          <Box component="h2" sx={{ ...titleStyle, overflowWrap: 'anywhere' }} dir="ltr">
            {addressOf(store)}
          </Box>
        </Box>
        <Box aria-hidden sx={store.health?.state === 'DOWN' ? quietArrow : bigArrow}>
          <ArrowUpRight sx={{ fontSize: 24 }} />
        </Box>
      </Box>
      {healthy && (
        <Box sx={healthLine}>
          <StateIcon state="ready" />
          {t('health.HEALTHY')}
          <Box component="span" sx={{ color: vars.textTertiary }}>
            {t('health.since')} <Day at={store.health?.since ?? store.createdAt} />
          </Box>
        </Box>
      )}
    </>
  )
}

const shopLink = {
  display: 'flex',
  alignItems: 'center',
  gap: 4,
  textDecoration: 'none',
  borderRadius: '8px',
  '&:hover h2': { textDecoration: 'underline', textDecorationThickness: '1.5px', textUnderlineOffset: '0.22em' },
}
const bigArrow = {
  flex: 'none',
  width: 48,
  height: 48,
  borderRadius: '12px',
  display: 'grid',
  placeItems: 'center',
  bgcolor: vars.accent,
  color: vars.accentText,
}
/** Nobody can buy there just now, so it isn't the main action. */
const quietArrow = {
  ...bigArrow,
  bgcolor: vars.surface,
  color: vars.textSecondary,
  border: `1px solid ${vars.borderStrong}`,
}
const healthLine = {
  display: 'flex',
  alignItems: 'center',
  gap: 2,
  mt: 5,
  pt: 4,
  borderTop: `1px solid ${vars.border}`,
  fontSize: '0.8125rem',
  color: vars.textSecondary,
}
