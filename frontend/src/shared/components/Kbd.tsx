import { Box } from '@mui/material'
import { vars } from '@/shared/tokens'

const LOOK = {
  surface: { bgcolor: vars.surfaceSunken, color: vars.textSecondary, boxShadow: `inset 0 0 0 1px ${vars.border}` },
  accent: { boxShadow: 'inset 0 0 0 1px color-mix(in srgb, currentColor 40%, transparent)' },
}

/** A key of the keyboard; hidden on phones. */
export function Kbd({ children, on = 'surface' }: { children: React.ReactNode; on?: keyof typeof LOOK }) {
  return (
    <Box
      component="kbd"
      sx={{
        display: { xs: 'none', sm: 'inline-grid' },
        placeItems: 'center',
        minWidth: 18,
        height: 18,
        px: 1,
        borderRadius: '4px',
        fontFamily: 'inherit',
        fontSize: '0.6875rem',
        fontWeight: 550,
        lineHeight: 1,
        ...LOOK[on],
      }}
    >
      {children}
    </Box>
  )
}
