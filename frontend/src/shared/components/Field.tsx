import { Box, FormControl, FormHelperText, FormLabel, type BoxProps } from '@mui/material'
import { useId } from 'react'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'

interface FieldProps {
  label: string
  hint?: React.ReactNode
  /** What is wrong and what to do; in place of the hint. */
  error?: React.ReactNode
  optional?: boolean
  action?: React.ReactNode
  sx?: BoxProps['sx']
  children: (control: {
    id: string
    'aria-describedby': string | undefined
    'aria-invalid': boolean
  }) => React.ReactNode
}

/** A labelled control. `children` gets what its input element needs. */
export function Field({ label, hint, error, optional, action, children, sx }: FieldProps) {
  const id = useId()
  const help = error ?? hint
  return (
    <FormControl fullWidth error={Boolean(error)} sx={sx ?? {}}>
      <Box sx={{ display: 'flex', alignItems: 'baseline', gap: 1.5, mb: 1.5 }}>
        <FormLabel htmlFor={id}>{label}</FormLabel>
        {optional && (
          <Box component="span" sx={{ fontSize: '0.8125rem', color: vars.textTertiary }}>
            {t('field.optional')}
          </Box>
        )}
        {action && <Box sx={{ ml: 'auto' }}>{action}</Box>}
      </Box>
      {children({ id, 'aria-describedby': help ? `${id}-help` : undefined, 'aria-invalid': Boolean(error) })}
      {help && <FormHelperText id={`${id}-help`}>{help}</FormHelperText>}
    </FormControl>
  )
}
