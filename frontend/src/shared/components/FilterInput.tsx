import { Box, InputAdornment, OutlinedInput, type OutlinedInputProps } from '@mui/material'
import { t } from '@/shared/i18n'
import { Search } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { Kbd } from './Kbd'

interface FilterInputProps {
  label: string
  value: string
  onChange: (value: string) => void
  sx?: OutlinedInputProps['sx']
}

/** The field that `/` moves to. Escape empties and leaves it. */
export function FilterInput({ label, value, onChange, sx }: FilterInputProps) {
  return (
    <OutlinedInput
      id="filter"
      type="search"
      placeholder={t('filter.placeholder')}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        onChange('')
        ;(event.target as HTMLElement).blur()
      }}
      inputProps={{ 'aria-label': label }}
      startAdornment={
        <InputAdornment position="start" sx={{ mr: 0, ml: -0.5 }}>
          <Search sx={{ fontSize: 15, color: vars.textTertiary }} />
        </InputAdornment>
      }
      endAdornment={
        <Box sx={{ mr: -1 }}>
          <Kbd>/</Kbd>
        </Box>
      }
      sx={[
        {
          '& .MuiOutlinedInput-notchedOutline': { borderColor: vars.borderStrong },
          '& input::-webkit-search-cancel-button': { display: 'none' },
        },
        ...(Array.isArray(sx) ? sx : [sx ?? {}]),
      ]}
    />
  )
}
