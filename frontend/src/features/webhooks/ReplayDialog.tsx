import { Button, OutlinedInput } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { CopyAs } from '@/shared/components/CopyAs'
import { Field } from '@/shared/components/Field'
import { FormDialog } from '@/shared/components/FormDialog'
import { byField, userErrors, type UserError } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { mono } from '@/shared/tokens'
import { ReplayWebhook, type Webhook } from './documents'

interface ReplayDialogProps {
  webhook: Webhook
  /** The cursor that is filled in. */
  after: string
  onClose: (done: boolean) => void
}

/** Sends again what followed an event. */
export function ReplayDialog({ webhook, after: initial, onClose }: ReplayDialogProps) {
  const [after, setAfter] = useState(initial)
  const [errors, setErrors] = useState<UserError[]>([])
  const [{ fetching }, execute] = useMutation(ReplayWebhook)
  const { errorOf, general } = byField(errors, ['after'])
  const variables = { input: { id: webhook.id, after: after.trim() } }
  const submit = async () => {
    const failures = userErrors(await execute(variables))
    setErrors(failures)
    if (failures.length === 0) onClose(true)
  }
  return (
    <FormDialog
      open
      title={t('webhooks.replayQuestion')}
      text={t('webhooks.replayConsequence')}
      error={general}
      onClose={() => onClose(false)}
      onSubmit={() => void submit()}
      aside={<CopyAs document={ReplayWebhook} variables={variables} />}
      actions={
        <>
          <Button onClick={() => onClose(false)}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" color="primary" disabled={fetching || after.trim() === ''}>
            {t('webhooks.replaySubmit')}
          </Button>
        </>
      }
    >
      <Field label={t('webhooks.cursor')} hint={t('webhooks.cursorHint')} error={errorOf('after')}>
        {(control) => (
          <OutlinedInput
            autoFocus
            value={after}
            onChange={(event) => {
              setAfter(event.target.value)
              setErrors([])
            }}
            inputProps={{ ...control, dir: 'ltr', autoComplete: 'off', spellCheck: false }}
            sx={{ fontFamily: mono }}
          />
        )}
      </Field>
    </FormDialog>
  )
}
