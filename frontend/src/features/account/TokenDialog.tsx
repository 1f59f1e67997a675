import { Box, Button, OutlinedInput, Select } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { ChoiceCards } from '@/shared/components/ChoiceCards'
import { CopyAs } from '@/shared/components/CopyAs'
import { CopyButton } from '@/shared/components/CopyButton'
import { Field } from '@/shared/components/Field'
import { FormDialog } from '@/shared/components/FormDialog'
import { userErrors, type UserError } from '@/shared/graphql/errors'
import type { VariablesOf } from '@/shared/graphql/graphql'
import { t } from '@/shared/i18n'
import { mono, v } from '@/shared/tokens'
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
    <Secret text={secret} onClose={onClose} />
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
  const errorOf = (field: string) => errors.find((error) => error.field === field)?.message
  const general = errors.find(({ field }) => field !== 'name' && field !== 'expiresAt')
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
      error={general?.message}
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
              <Box sx={{ fontSize: '0.8125rem', color: v.ink2 }}>{t(`tokens.${value}Text`)}</Box>
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

function Secret({ text, onClose }: { text: string; onClose: () => void }) {
  return (
    <FormDialog
      open
      title={t('tokens.copyNow')}
      text={t('tokens.onlyOnce')}
      onClose={() => undefined}
      onSubmit={onClose}
      actions={
        <Button type="submit" variant="contained" color="primary">
          {t('tokens.haveIt')}
        </Button>
      }
    >
      <Box
        sx={{
          display: 'flex',
          alignItems: 'center',
          gap: 2,
          p: 3,
          pl: 4,
          borderRadius: '8px',
          bgcolor: v.sunken,
          border: `1px solid ${v.line}`,
        }}
      >
        <Box
          component="code"
          dir="ltr"
          sx={{ flex: 1, minWidth: 0, fontFamily: mono, fontSize: '0.8125rem', overflowWrap: 'anywhere' }}
        >
          {text}
        </Box>
        <CopyButton text={text} label={t('tokens.copy')} size={32} />
      </Box>
    </FormDialog>
  )
}
