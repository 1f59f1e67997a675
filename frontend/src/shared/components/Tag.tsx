import { Box } from '@mui/material'
import { vars } from '@/shared/tokens'

/** A word beside a name. */
export function Tag({ children }: { children: React.ReactNode }) {
  return (
    <Box
      component="span"
      sx={{
        px: 1.5,
        borderRadius: '4px',
        bgcolor: vars.surfaceSunken,
        color: vars.textSecondary,
        fontSize: '0.75rem',
        lineHeight: '20px',
        whiteSpace: 'nowrap',
      }}
    >
      {children}
    </Box>
  )
}
