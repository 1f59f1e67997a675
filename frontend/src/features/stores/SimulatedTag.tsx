import { Box } from '@mui/material'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'

/** The store runs on a simulated cluster. */
export function SimulatedTag() {
  return (
    <Box
      component="span"
      title={t('simulated.text')}
      sx={{
        display: 'inline-flex',
        alignItems: 'center',
        height: 26,
        px: 2,
        borderRadius: '13px',
        border: `1px dashed ${vars.inputBorder}`,
        color: vars.textSecondary,
        fontSize: '0.75rem',
        fontWeight: 550,
      }}
    >
      {t('simulated')}
    </Box>
  )
}
