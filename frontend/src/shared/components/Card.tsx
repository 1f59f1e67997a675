import { Box, Typography, type BoxProps } from '@mui/material'
import { useId } from 'react'
import { radius, vars } from '@/shared/tokens'
import { inset } from './styles'

export function Card({ children, sx, ...rest }: BoxProps) {
  return (
    <Box
      sx={[
        { bgcolor: vars.surface, border: `1px solid ${vars.border}`, borderRadius: `${radius.card}px` },
        ...(Array.isArray(sx) ? sx : [sx]),
      ]}
      {...rest}
    >
      {children}
    </Box>
  )
}

interface SectionProps {
  title: string
  aside?: React.ReactNode
  children: React.ReactNode
}

/** A card with a title and, at its end, what can be done. */
export function Section({ title, aside, children }: SectionProps) {
  const id = useId()
  return (
    <Card component="section" aria-labelledby={id} sx={{ overflow: 'clip' }}>
      <Box
        sx={{
          display: 'flex',
          alignItems: 'center',
          gap: 3,
          minHeight: 48,
          ...inset,
          borderBottom: `1px solid ${vars.border}`,
        }}
      >
        <Typography variant="h3" component="h2" id={id} sx={{ flex: 1 }}>
          {title}
        </Typography>
        {aside}
      </Box>
      {children}
    </Card>
  )
}

interface AnnotatedProps {
  title: string
  text?: React.ReactNode
  children: React.ReactNode
  tone?: 'bad'
}

/** Settings: what it is about at the start of the line, a card beside it; on a phone below it. */
export function Annotated({ title, text, children, tone }: AnnotatedProps) {
  const id = useId()
  return (
    <Box
      component="section"
      aria-labelledby={id}
      sx={{
        display: 'grid',
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: '260px minmax(0, 1fr)' },
        columnGap: 12,
        rowGap: 3,
        py: { xs: 5, md: 7 },
        '& + &': { borderTop: `1px solid ${vars.border}` },
        '&:first-of-type': { pt: 0 },
      }}
    >
      <Box sx={{ pt: { md: 1 } }}>
        <Typography variant="h2" id={id} sx={{ color: tone === 'bad' ? vars.badFg : vars.text }}>
          {title}
        </Typography>
        {text && (
          <Typography variant="body2" sx={{ color: vars.textSecondary, mt: 1, maxWidth: '42ch' }}>
            {text}
          </Typography>
        )}
      </Box>
      <Card sx={{ overflow: 'clip', ...(tone === 'bad' ? { borderColor: vars.badBorder } : {}) }}>{children}</Card>
    </Box>
  )
}

/** A line of a settings card: a sentence and a button. */
export function SettingsRow({ text, children }: { text: React.ReactNode; children: React.ReactNode }) {
  return (
    <Box
      sx={{
        display: 'flex',
        alignItems: { xs: 'flex-start', sm: 'center' },
        flexDirection: { xs: 'column', sm: 'row' },
        gap: 4,
        ...inset,
        py: 4,
        '& + &': { borderTop: `1px solid ${vars.border}` },
      }}
    >
      <Box sx={{ flex: 1, maxWidth: '60ch', textWrap: 'pretty' }}>{text}</Box>
      <Box sx={{ flex: 'none', display: 'flex', gap: 2, ml: { sm: 'auto' } }}>{children}</Box>
    </Box>
  )
}
