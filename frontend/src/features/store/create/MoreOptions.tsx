import { Box, ButtonBase, Collapse, OutlinedInput } from '@mui/material'
import { useState } from 'react'
import { ChoiceCards } from '@/shared/components/ChoiceCards'
import { Field } from '@/shared/components/Field'
import { muted } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { ring, vars } from '@/shared/tokens'
import type { Engine } from '@/features/stores/documents'
import type { Draft } from './draft'

interface MoreOptionsProps {
  draft: Draft
  setups: Engine['setups']
  errorOf: (field: string) => string | undefined
  onChange: (part: Partial<Draft>) => void
}

/** What most people leave as it is: the owner's e-mail, and how the shop begins. */
export function MoreOptions({ draft, setups, errorOf, onChange }: MoreOptionsProps) {
  const [open, setOpen] = useState(false)
  const shown = open || errorOf('adminEmail') !== undefined || errorOf('setup') !== undefined
  const [usual = 'READY'] = setups
  return (
    <Box>
      <ButtonBase
        onClick={() => setOpen(!shown)}
        aria-expanded={shown}
        sx={{
          minHeight: 24,
          fontSize: '0.8125rem',
          color: vars.textSecondary,
          fontWeight: 500,
          borderRadius: '4px',
          '&:hover': { color: vars.text },
          '&:focus-visible': ring,
        }}
      >
        {shown ? t('create.fewer') : t('create.more')}
      </ButtonBase>
      <Collapse in={shown} unmountOnExit>
        <Box sx={{ pt: 4, display: 'grid', gap: 6 }}>
          <Field label={t('create.adminEmail')} hint={t('create.adminEmailHint')} error={errorOf('adminEmail')}>
            {(control) => (
              <OutlinedInput
                type="email"
                value={draft.adminEmail}
                onChange={(event) => onChange({ adminEmail: event.target.value })}
                inputProps={control}
              />
            )}
          </Field>
          {setups.length > 1 && (
            <ChoiceCards
              label={t('create.setup')}
              name="setup"
              value={draft.setup ?? usual}
              error={errorOf('setup')}
              onChange={(setup) => onChange({ setup })}
              columns={2}
              choices={setups.map((setup) => ({
                value: setup,
                body: (
                  <Box sx={{ pr: 5 }}>
                    <Box sx={{ fontWeight: 550 }}>{t(`setup.${setup}`)}</Box>
                    <Box sx={muted}>{t(`setup.${setup}Text`)}</Box>
                  </Box>
                ),
              }))}
            />
          )}
        </Box>
      </Collapse>
    </Box>
  )
}
