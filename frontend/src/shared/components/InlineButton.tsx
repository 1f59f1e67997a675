import { Box } from '@mui/material'
import { ring, vars } from '@/shared/tokens'

/** A suggestion inside a sentence: "fig-olive-2 is free. Take it". */
export function InlineButton({ children, onClick }: { children: React.ReactNode; onClick: () => void }) {
  return (
    <Box
      component="button"
      type="button"
      onClick={onClick}
      sx={{
        all: 'unset',
        cursor: 'pointer',
        color: vars.text,
        textDecoration: 'underline',
        textUnderlineOffset: '0.2em',
        '&:focus-visible': ring,
      }}
    >
      {children}
    </Box>
  )
}
