import { Box, Button, OutlinedInput, Select } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { ChoiceCards } from '@/shared/components/ChoiceCards'
import { CopyAs } from '@/shared/components/CopyAs'
import { Field } from '@/shared/components/Field'
import { FormDialog } from '@/shared/components/FormDialog'
import { SecretDialog } from '@/shared/components/SecretDialog'
import { muted } from '@/shared/components/styles'
import { byField, userErrors, type UserError } from '@/shared/graphql/errors'
import type { VariablesOf } from '@/shared/graphql/graphql'
import { t } from '@/shared/i18n'
import { useSession } from '@/features/session/viewer'
import { CreateApiToken } from './documents'

const DAY_MS = 86_400_000
const DAYS = ['30', '90', '365', 'never'] as const
const SCOPES = ['read', 'write'] as const

/** Makes an API token; its secret is shown once. */
export function TokenDialog({ onClose }: { onClose: () => void }) {
  const [secret, setSecret] = useState<string | null>(null)
  return secret === null ? (
    <NewToken onClose={onClose} onSecret={setSecret} />
  ) : (
    <SecretDialog
      title={t('tokens.copyNow')}
      text={t('tokens.onlyOnce')}
      secret={secret}
      copyLabel={t('tokens.copy')}
      doneLabel={t('tokens.haveIt')}
      onDone={onClose}
    />
  )
}

function NewToken({ onClose, onSecret }: { onClose: () => void; onSecret: (secret: string) => void }) {
  const { account } = useSession()
  const [name, setName] = useState('')
  const [scope, setScope] = useState<(typeof SCOPES)[number]>('read')
  const [days, setDays] = useState<string>('90')
  const [errors, setErrors] = useState<UserError[]>([])
  const [idempotencyKey] = useState(() => crypto.randomUUID())
  const [openedAt] = useState(() => Date.now())
  const [{ fetching }, execute] = useMutation(CreateApiToken)
  const input: VariablesOf<typeof CreateApiToken>['input'] = {
    accountId: account.id,
    name: name.trim(),
    scopes: scope === 'write' ? ['READ', 'WRITE'] : ['READ'],
    expiresAt: days === 'never' ? null : new Date(openedAt + Number(days) * DAY_MS).toISOString(),
  }
  const { errorOf, general } = byField(errors, ['name', 'expiresAt'])
  const submit = async () => {
    if (!input.name) {
      setErrors([{ code: 'INVALID_NAME', field: 'name', message: t('tokens.nameMissing') }])
      return
    }
    const result = await execute({ input: { ...input, idempotencyKey } })
    setErrors(userErrors(result))
    const secret = result.data?.createApiToken.secret
    if (secret) onSecret(secret)
    else if (result.data?.createApiToken.token) onClose()
  }
  return (
    <FormDialog
      open
      title={t('tokens.createTitle')}
      error={general}
      onClose={onClose}
      onSubmit={() => void submit()}
      aside={<CopyAs document={CreateApiToken} variables={{ input }} />}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" color="primary" disabled={fetching}>
            {t('tokens.submit')}
          </Button>
        </>
      }
    >
      <Field label={t('tokens.name')} error={errorOf('name')}>
        {(control) => (
          <OutlinedInput
            autoFocus
            value={name}
            placeholder={t('tokens.namePlaceholder')}
            onChange={(event) => {
              setName(event.target.value)
              setErrors([])
            }}
            inputProps={{ ...control, autoComplete: 'off' }}
          />
        )}
      </Field>
      <ChoiceCards
        label={t('tokens.scope')}
        name="scope"
        value={scope}
        onChange={setScope}
        columns={2}
        choices={SCOPES.map((value) => ({
          value,
          body: (
            <Box sx={{ pr: 5 }}>
              <Box sx={{ fontWeight: 550 }}>{t(`tokens.${value}`)}</Box>
              <Box sx={muted}>{t(`tokens.${value}Text`)}</Box>
            </Box>
          ),
        }))}
      />
      <Field label={t('tokens.expiry')} error={errorOf('expiresAt')}>
        {(control) => (
          <Select native value={days} onChange={(event) => setDays(event.target.value)} inputProps={control}>
            {DAYS.map((value) => (
              <option key={value} value={value}>
                {t(`tokens.days.${value}`)}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </FormDialog>
  )
}
