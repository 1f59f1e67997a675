import { Box, Button, OutlinedInput } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { Field } from '@/shared/components/Field'
import { FormDialog } from '@/shared/components/FormDialog'
import { userErrors, type UserError } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { signInAs } from '@/features/session/auth'
import { ResumeAccount, SetAccountLimits, SuspendAccount, type OperatorAccount } from './documents'

export type Asked = { kind: 'suspend' } | { kind: 'resume' } | { kind: 'impersonate'; userId: string; email: string }

interface LimitsDialogProps {
  account: OperatorAccount
  onClose: () => void
}

/** Both limits; empty: the installation's default. */
export function LimitsDialog({ account, onClose }: LimitsDialogProps) {
  const [{ fetching }, execute] = useMutation(SetAccountLimits)
  const [quota, setQuota] = useState(account.ownLimits ? String(account.storeQuota) : '')
  const [perHour, setPerHour] = useState(account.ownLimits ? String(account.creationsPerHour) : '')
  const [error, setError] = useState<UserError>()
  const number = (text: string) => (text.trim() === '' ? null : Number(text))
  const submit = async () => {
    const input = { accountId: account.accountId, storeQuota: number(quota), creationsPerHour: number(perHour) }
    const [failure] = userErrors(await execute({ input }))
    if (failure) setError(failure)
    else onClose()
  }
  const fields = [
    { name: 'storeQuota', label: t('operator.storeQuota'), value: quota, set: setQuota },
    { name: 'creationsPerHour', label: t('operator.perHour'), value: perHour, set: setPerHour },
  ]
  const known = fields.some(({ name }) => name === error?.field)
  return (
    <FormDialog
      open
      title={t('operator.limitsOf', { name: account.name })}
      text={t('operator.limitsText')}
      error={known ? undefined : error?.message}
      onClose={onClose}
      onSubmit={() => void submit()}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" color="primary" disabled={fetching}>
            {t('operator.setLimits')}
          </Button>
        </>
      }
    >
      {fields.map(({ name, label, value, set }, i) => (
        <Field key={name} label={label} optional error={error?.field === name ? error.message : undefined}>
          {(control) => (
            <OutlinedInput
              {...control}
              type="number"
              autoFocus={i === 0}
              value={value}
              onChange={(event) => set(event.target.value)}
              inputProps={{ min: 0 }}
            />
          )}
        </Field>
      ))}
    </FormDialog>
  )
}

interface ReasonDialogProps {
  account: OperatorAccount
  asked: Asked
  onClose: () => void
}

/** Suspends or resumes the account, or signs the operator in as a member of it. */
export function ReasonDialog({ account, asked, onClose }: ReasonDialogProps) {
  const { accountId, name } = account
  const [suspending, suspend] = useMutation(SuspendAccount)
  const [resuming, resume] = useMutation(ResumeAccount)
  const [reason, setReason] = useState('')
  const [leaving, setLeaving] = useState(false)
  const [error, setError] = useState<UserError>()
  const needsReason = asked.kind !== 'resume'
  const send = async () => {
    if (asked.kind === 'suspend') return userErrors(await suspend({ input: { accountId, reason } }))
    if (asked.kind === 'resume') return userErrors(await resume({ input: { accountId } }))
    setLeaving(true)
    const answer = await signInAs(asked.userId, reason, accountId)
    setLeaving(answer.ok)
    return answer.ok ? [] : [{ ...answer.error, code: '' }]
  }
  const submit = async () => {
    const [failure] = await send()
    if (failure) setError(failure)
    else onClose()
  }
  const title =
    asked.kind === 'impersonate'
      ? t('operator.signInAsNamed', { email: asked.email })
      : t(`operator.${asked.kind}Named`, { name })
  return (
    <FormDialog
      open
      title={title}
      text={t(`operator.${asked.kind}Text`)}
      error={error?.field === 'reason' ? undefined : error?.message}
      onClose={onClose}
      onSubmit={() => void submit()}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button
            type="submit"
            variant="contained"
            color={asked.kind === 'suspend' ? 'error' : 'primary'}
            autoFocus={!needsReason}
            disabled={suspending.fetching || resuming.fetching || leaving}
          >
            {asked.kind === 'impersonate' ? t('operator.signInAs') : t(`operator.${asked.kind}`)}
          </Button>
        </>
      }
    >
      {needsReason && (
        <Box>
          <Field
            label={t('operator.reason')}
            hint={t('operator.reasonHint')}
            error={error?.field === 'reason' ? error.message : undefined}
          >
            {(control) => (
              <OutlinedInput
                {...control}
                autoFocus
                value={reason}
                onChange={(event) => setReason(event.target.value)}
                inputProps={{ maxLength: 300 }}
              />
            )}
          </Field>
        </Box>
      )}
    </FormDialog>
  )
}
