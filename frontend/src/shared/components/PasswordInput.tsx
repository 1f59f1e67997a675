import { IconButton, InputAdornment, OutlinedInput } from '@mui/material'
import { useState } from 'react'
import { t } from '@/shared/i18n'
import { Eye, EyeOff } from '@/shared/icons'

interface PasswordInputProps {
  control: object
  value: string
  onChange: (value: string) => void
  autoComplete: 'current-password' | 'new-password'
}

export function PasswordInput({ control, value, onChange, autoComplete }: PasswordInputProps) {
  const [shown, setShown] = useState(false)
  const label = shown ? t('password.hide') : t('password.show')
  return (
    <OutlinedInput
      type={shown ? 'text' : 'password'}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      inputProps={{ ...control, autoComplete, spellCheck: false }}
      sx={{ minHeight: 42 }}
      endAdornment={
        <InputAdornment position="end">
          <IconButton aria-label={label} title={label} onClick={() => setShown(!shown)} edge="end" sx={{ mr: -2 }}>
            {shown ? <EyeOff /> : <Eye />}
          </IconButton>
        </InputAdornment>
      }
    />
  )
}
