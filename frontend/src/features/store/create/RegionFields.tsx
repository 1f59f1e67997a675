import { Box, Select } from '@mui/material'
import { Field } from '@/shared/components/Field'
import { t } from '@/shared/i18n'
import { COUNTRIES, CURRENCIES, countryName, currencyOf, guessLanguage, languageName } from './countries'
import type { Draft } from './draft'

interface RegionFieldsProps {
  draft: Draft
  languages: readonly string[]
  errorOf: (field: string) => string | undefined
  onChange: (part: Partial<Draft>) => void
}

/** Country, currency and language. The country sets the other two. */
export function RegionFields({ draft, languages, errorOf, onChange }: RegionFieldsProps) {
  const chooseCountry = (country: string) =>
    onChange({
      country,
      currency: currencyOf(country),
      language: guessLanguage(languages, country, navigator.languages) ?? null,
    })
  const language = draft.language ?? guessLanguage(languages, draft.country, navigator.languages) ?? ''
  return (
    <Box sx={{ display: 'grid', gap: 4, gridTemplateColumns: { xs: '2fr 3fr', sm: '1.3fr 0.6fr 1.3fr' } }}>
      <Choice
        label={t('create.country')}
        value={draft.country}
        values={COUNTRIES}
        title={countryName}
        error={errorOf('country')}
        onChange={chooseCountry}
        wholeLine
      />
      <Choice
        label={t('create.currency')}
        value={draft.currency}
        values={CURRENCIES}
        title={(code) => code}
        error={errorOf('currency')}
        onChange={(currency) => onChange({ currency })}
      />
      <Choice
        label={t('create.language')}
        value={language}
        values={languages}
        title={languageName}
        error={errorOf('language')}
        onChange={(chosen) => onChange({ language: chosen })}
      />
    </Box>
  )
}

interface ChoiceProps {
  label: string
  value: string
  values: readonly string[]
  title: (value: string) => string
  error: string | undefined
  onChange: (value: string) => void
  wholeLine?: boolean
}

function Choice({ label, value, values, title, error, onChange, wholeLine = false }: ChoiceProps) {
  return (
    <Field label={label} error={error} sx={{ gridColumn: { xs: wholeLine ? '1 / -1' : 'auto', sm: 'auto' } }}>
      {(control) => (
        <Select native value={value} onChange={(event) => onChange(event.target.value)} inputProps={control}>
          {values.map((one) => (
            <option key={one} value={one}>
              {title(one)}
            </option>
          ))}
        </Select>
      )}
    </Field>
  )
}
