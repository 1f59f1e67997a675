import { Button } from '@mui/material'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { useMutation } from 'urql'
import { CopyAs } from '@/shared/components/CopyAs'
import { FormDialog } from '@/shared/components/FormDialog'
import { userErrors } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { DeleteWebhook, type Webhook } from './documents'

/** Asks before a webhook is deleted for good. */
export function DeleteWebhookDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const navigate = useNavigate()
  const [error, setError] = useState<string>()
  const [{ fetching }, execute] = useMutation(DeleteWebhook)
  const variables = { input: { id: webhook.id } }
  const submit = async () => {
    const [failure] = userErrors(await execute(variables))
    if (failure) return setError(failure.message)
    void navigate('/account/webhooks', { replace: true })
  }
  return (
    <FormDialog
      open
      title={t('webhooks.deleteQuestion')}
      text={t('webhooks.deleteConsequence', { url: webhook.url })}
      error={error}
      onClose={onClose}
      onSubmit={() => void submit()}
      aside={<CopyAs document={DeleteWebhook} variables={variables} />}
      actions={
        <>
          <Button onClick={onClose}>{t('delete.keep')}</Button>
          <Button type="submit" variant="contained" color="error" autoFocus disabled={fetching}>
            {t('delete.confirm')}
          </Button>
        </>
      }
    />
  )
}
