import { Box, Button } from '@mui/material'
import { t } from '@/shared/i18n'
import { Info } from '@/shared/icons'
import { vars } from '@/shared/tokens'

/** One sentence that says what is wrong; `onRetry` adds a button. */
export function ErrorBanner({ children, onRetry }: { children: React.ReactNode; onRetry?: () => void }) {
  return (
    <Box
      role="alert"
      sx={{
        display: 'flex',
        gap: 2,
        alignItems: 'center',
        p: 3,
        borderRadius: '8px',
        bgcolor: vars.badBg,
        color: vars.badFg,
        fontSize: '0.8125rem',
        fontWeight: 500,
      }}
    >
      <Info sx={{ flex: 'none' }} />
      <Box sx={{ flex: 1 }}>{children}</Box>
      {onRetry && (
        <Button size="small" onClick={onRetry}>
          {t('error.tryAgain')}
        </Button>
      )}
    </Box>
  )
}
