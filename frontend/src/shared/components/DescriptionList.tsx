import { Box } from '@mui/material'
import { vars } from '@/shared/tokens'
import { inset } from './styles'

export type Description = [label: string, value: React.ReactNode]

/** Labels and values, with lines between. `wide`: values at the start, for wide cards; else at the end. */
export function DescriptionList({ rows, wide = false }: { rows: Description[]; wide?: boolean }) {
  return (
    <Box component="dl" sx={{ m: 0, ...inset, py: 1 }}>
      {rows.map(([label, value]) => (
        <Box
          key={label}
          sx={{
            display: 'flex',
            alignItems: 'center',
            gap: 4,
            minHeight: wide ? 42 : 36,
            py: 1,
            '& + &': { borderTop: `1px solid ${vars.border}` },
          }}
        >
          <Box
            component="dt"
            sx={{
              color: vars.textSecondary,
              fontSize: '0.8125rem',
              flex: wide ? { xs: '0 0 6rem', sm: '0 0 7.5rem' } : 'none',
            }}
          >
            {label}
          </Box>
          <Box
            component="dd"
            sx={{
              m: 0,
              minWidth: 0,
              flex: 1,
              display: 'flex',
              alignItems: 'center',
              gap: 1.5,
              justifyContent: wide ? 'flex-start' : 'flex-end',
              textAlign: wide ? 'start' : 'end',
              fontSize: wide ? '0.875rem' : '0.8125rem',
            }}
          >
            {value}
          </Box>
        </Box>
      ))}
    </Box>
  )
}
