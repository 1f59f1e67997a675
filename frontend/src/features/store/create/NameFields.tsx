import { Box, InputAdornment, OutlinedInput } from '@mui/material'
import { Field } from '@/shared/components/Field'
import { InlineButton } from '@/shared/components/InlineButton'
import { TextButton } from '@/shared/components/TextButton'
import { ellipsis } from '@/shared/components/styles'
import { rich, t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'

interface NameFieldsProps {
  name: string
  slug: string | null
  suggested: string | undefined
  /** Why the suggested slug differs from the wanted one, or can't be had. */
  reason: string | null | undefined
  suffix: string
  nameError: string | undefined
  slugError: string | undefined
  onName: (name: string) => void
  onSlug: (slug: string | null) => void
}

/** The store's name, and its address: made from the name, or chosen. */
export function NameFields(props: NameFieldsProps) {
  const { name, slug, suggested, reason, suffix, nameError, slugError, onName, onSlug } = props
  const offer = suggested !== undefined && suggested !== slug ? suggested : undefined
  const error = slugError ?? (slug === null ? undefined : (reason ?? undefined))
  return (
    <Box sx={{ display: 'grid', gap: 5 }}>
      <Field label={t('create.name')} error={nameError}>
        {(control) => (
          <OutlinedInput
            autoFocus
            value={name}
            placeholder={t('create.namePlaceholder')}
            onChange={(event) => onName(event.target.value)}
            inputProps={{ ...control, maxLength: 80, autoComplete: 'off' }}
          />
        )}
      </Field>
      {slug === null && slugError === undefined ? (
        <Box
          sx={{
            display: 'flex',
            alignItems: 'center',
            gap: 2,
            mt: -3,
            minHeight: 24,
            fontSize: '0.8125rem',
            color: vars.textSecondary,
          }}
        >
          {suggested && (
            <>
              <Box component="span" sx={ellipsis} aria-live="polite">
                {rich('create.address', {
                  address: (
                    <Box component="span" sx={{ color: vars.text }}>
                      {suggested}
                      {suffix}
                    </Box>
                  ),
                })}
              </Box>
              <TextButton onClick={() => onSlug(suggested)}>{t('create.changeAddress')}</TextButton>
            </>
          )}
        </Box>
      ) : (
        <Field
          label={t('create.addressLabel')}
          hint={t('create.addressHint')}
          error={
            error && (
              <>
                {error}
                {offer && (
                  <>
                    {' '}
                    {t('create.isFree', { slug: offer })}{' '}
                    <InlineButton onClick={() => onSlug(offer)}>{t('create.take')}</InlineButton>
                  </>
                )}
              </>
            )
          }
          action={<TextButton onClick={() => onSlug(null)}>{t('create.addressFromName')}</TextButton>}
        >
          {(control) => (
            <OutlinedInput
              value={slug ?? suggested ?? ''}
              onChange={(event) => onSlug(event.target.value.toLowerCase())}
              endAdornment={
                <InputAdornment position="end" sx={{ '& p': { fontSize: '0.875rem', color: vars.textTertiary } }}>
                  {suffix}
                </InputAdornment>
              }
              inputProps={{ ...control, spellCheck: false, autoCapitalize: 'none', autoComplete: 'off', dir: 'ltr' }}
            />
          )}
        </Field>
      )}
    </Box>
  )
}
