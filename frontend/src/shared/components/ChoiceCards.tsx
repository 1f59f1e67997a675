import { Box } from '@mui/material'
import { Check } from '@/shared/icons'
import { ring, vars } from '@/shared/tokens'
import { visuallyHidden } from './styles'

interface Choice<T> {
  value: T
  disabled?: boolean
  body: React.ReactNode
}
interface ChoiceCardsProps<T> {
  label: string
  name: string
  value: T
  onChange: (value: T) => void
  choices: Choice<T>[]
  columns: number
  error?: React.ReactNode
}

const outline = (chosen: boolean, disabled: boolean) => {
  if (chosen) return `inset 0 0 0 1.5px ${vars.accent}`
  return `inset 0 0 0 1px ${disabled ? vars.border : vars.borderStrong}`
}

/** Radio buttons that look like cards. */
export function ChoiceCards<T extends string>(props: ChoiceCardsProps<T>) {
  const { label, name, value, onChange, choices, columns, error } = props
  return (
    <Box component="fieldset" sx={{ m: 0, p: 0, border: 0, minWidth: 0 }}>
      <Box component="legend" sx={{ p: 0, mb: 1.5, fontSize: '0.8125rem', fontWeight: 550 }}>
        {label}
      </Box>
      <Box sx={{ display: 'grid', gap: 2.5, gridTemplateColumns: { xs: '1fr', sm: `repeat(${columns}, 1fr)` } }}>
        {choices.map(({ value: own, disabled = false, body }) => (
          <Box
            key={own}
            component="label"
            sx={{
              position: 'relative',
              p: 3.5,
              borderRadius: '10px',
              bgcolor: disabled ? 'transparent' : vars.surface,
              cursor: disabled ? 'default' : 'pointer',
              boxShadow: outline(value === own, disabled),
              transition: 'box-shadow 120ms',
              '&:hover': disabled || value === own ? {} : { boxShadow: `inset 0 0 0 1px ${vars.inputBorder}` },
              '&:has(:focus-visible)': ring,
            }}
          >
            <Box
              component="input"
              type="radio"
              name={name}
              value={own}
              checked={value === own}
              disabled={disabled}
              onChange={() => onChange(own)}
              sx={visuallyHidden}
            />
            {body}
            {value === own && <Chosen />}
          </Box>
        ))}
      </Box>
      {error && (
        <Box role="alert" sx={{ mt: 1.5, fontSize: '0.8125rem', color: vars.badFg }}>
          {error}
        </Box>
      )}
    </Box>
  )
}

function Chosen() {
  return (
    <Box
      aria-hidden
      sx={{
        position: 'absolute',
        top: 10,
        right: 10,
        width: 18,
        height: 18,
        borderRadius: '50%',
        bgcolor: vars.accent,
        color: vars.accentText,
        display: 'grid',
        placeItems: 'center',
      }}
    >
      <Check sx={{ fontSize: 12, strokeWidth: 3 }} />
    </Box>
  )
}
