import { Box, ButtonBase } from '@mui/material'
import { ring, vars } from '@/shared/tokens'
import { tabular } from './styles'

interface Chip<T> {
  value: T
  label: string
  icon?: React.ReactNode
  count?: number | undefined
}

/** Buttons of which one is pressed: what a list shows. */
export function Chips<T extends string>(props: {
  label: string
  value: T
  chips: Chip<T>[]
  onChange: (value: T) => void
}) {
  const { label, value, chips, onChange } = props
  return (
    <Box
      role="group"
      aria-label={label}
      sx={{
        display: 'flex',
        gap: 1.5,
        mx: { xs: -4, sm: 0 },
        px: { xs: 4, sm: 0 },
        py: 0.5,
        overflowX: 'auto',
        scrollbarWidth: 'none',
      }}
    >
      {chips.map(({ value: own, label: text, icon, count }) => (
        <ButtonBase
          key={own}
          aria-pressed={value === own}
          onClick={() => onChange(own)}
          sx={{
            flex: 'none',
            height: { xs: 40, sm: 30 },
            px: 2.5,
            gap: 1.5,
            borderRadius: '20px',
            fontSize: '0.8125rem',
            fontWeight: 500,
            border: '1px solid',
            borderColor: value === own ? vars.borderStrong : 'transparent',
            bgcolor: value === own ? vars.surface : 'transparent',
            color: value === own ? vars.text : vars.textSecondary,
            '&:hover': { color: vars.text, bgcolor: value === own ? vars.surface : vars.surfaceSunken },
            '&:focus-visible': { ...ring, outlineOffset: -2 },
          }}
        >
          {icon}
          {text}
          {count !== undefined && (
            <Box component="span" sx={{ color: vars.textTertiary, ...tabular }}>
              {count}
            </Box>
          )}
        </ButtonBase>
      ))}
    </Box>
  )
}
