import { Box } from '@mui/material'
import { vars } from '@/shared/tokens'

/** The product's logo: a small shop. `size` is its width in px. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <Box
      component="svg"
      viewBox="0 0 48 39"
      aria-hidden
      sx={{
        width: size,
        height: (size * 39) / 48,
        display: 'block',
        fill: vars.accent,
        color: vars.accent,
        flex: 'none',
      }}
    >
      <path d="M9 2h7.5L13 18a5.5 5.5 0 0 1-11 0zM24 2h7.5L35 18a5.5 5.5 0 0 1-11 0z" />
      <path opacity="0.4" d="M16.5 2H24v16a5.5 5.5 0 0 1-11 0zM31.5 2H39l7 16a5.5 5.5 0 0 1-11 0z" />
      <path d="M7.5 24v13.5h33V24M27 37.5v-9h7v9" fill="none" stroke="currentColor" strokeWidth="2" />
    </Box>
  )
}
