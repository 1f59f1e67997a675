import { Button, Select } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { CopyAs } from '@/shared/components/CopyAs'
import { Field } from '@/shared/components/Field'
import { FormDialog } from '@/shared/components/FormDialog'
import { SecretDialog } from '@/shared/components/SecretDialog'
import { byField, userErrors, type UserError } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { RotateWebhookSecret, type Webhook } from './documents'

const OVERLAPS = [0, 1, 24, 168] as const

/** Makes a new secret, which is shown once. The one before it signs, too, for as long as is chosen. */
export function RotateSecretDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const [overlapHours, setOverlap] = useState<number>(24)
  const [errors, setErrors] = useState<UserError[]>([])
  const [secret, setSecret] = useState<string | null>(null)
  const [{ fetching }, execute] = useMutation(RotateWebhookSecret)
  const { errorOf, general } = byField(errors, ['overlapHours'])
  const variables = { input: { id: webhook.id, overlapHours } }
  const submit = async () => {
    const result = await execute(variables)
    setErrors(userErrors(result))
    setSecret(result.data?.rotateWebhookSecret.secret ?? null)
  }
  if (secret !== null) {
    return (
      <SecretDialog
        title={t('webhooks.copyNow')}
        text={t('webhooks.onlyOnce')}
        secret={secret}
        copyLabel={t('webhooks.copySecret')}
        doneLabel={t('tokens.haveIt')}
        onDone={onClose}
      />
    )
  }
  return (
    <FormDialog
      open
      title={t('webhooks.rotateQuestion')}
      text={t('webhooks.rotateConsequence')}
      error={general}
      onClose={onClose}
      onSubmit={() => void submit()}
      aside={<CopyAs document={RotateWebhookSecret} variables={variables} />}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" color="primary" disabled={fetching}>
            {t('webhooks.rotateSubmit')}
          </Button>
        </>
      }
    >
      <Field label={t('webhooks.overlap')} error={errorOf('overlapHours')}>
        {(control) => (
          <Select
            native
            value={overlapHours}
            onChange={(event) => setOverlap(Number(event.target.value))}
            inputProps={control}
          >
            {OVERLAPS.map((hours) => (
              <option key={hours} value={hours}>
                {t(`webhooks.overlap.${hours}`)}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </FormDialog>
  )
}
