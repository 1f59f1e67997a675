import { Box } from '@mui/material'
import { vars } from '@/shared/tokens'

/** A heading and a text about the store's state. */
export function StatusMessage({ title, text }: { title: string; text: string }) {
  return (
    <>
      <Box component="h2" sx={titleStyle}>
        {title}
      </Box>
      <Box sx={textStyle}>{text}</Box>
    </>
  )
}

export const titleStyle = {
  fontSize: '1.375rem',
  lineHeight: 1.3,
  fontWeight: 600,
  letterSpacing: '-0.016em',
  textWrap: 'balance',
  m: 0,
} as const
const textStyle = { color: vars.textSecondary, mt: 1, maxWidth: '72ch', textWrap: 'pretty' } as const
