import { Button, OutlinedInput } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { CopyAs } from '@/shared/components/CopyAs'
import { Field } from '@/shared/components/Field'
import { FormDialog } from '@/shared/components/FormDialog'
import { SecretDialog } from '@/shared/components/SecretDialog'
import { byField, userErrors, type UserError } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { useSession } from '@/features/session/viewer'
import { CreateWebhook, UpdateWebhook, type Webhook } from './documents'
import { EVENT_TYPES, EventTypes, type EventType } from './EventTypes'

/** Asks where the events are sent, and which; `webhook`: changes that one, else makes one and shows its secret. */
export function WebhookDialog({ webhook, onClose }: { webhook?: Webhook; onClose: () => void }) {
  const { account } = useSession()
  const [url, setUrl] = useState(webhook?.url ?? '')
  const [eventTypes, setTypes] = useState<readonly EventType[]>(webhook?.eventTypes ?? EVENT_TYPES)
  const [errors, setErrors] = useState<UserError[]>([])
  const [secret, setSecret] = useState<string | null>(null)
  const [idempotencyKey, setIdempotencyKey] = useState(() => crypto.randomUUID())
  const [creation, create] = useMutation(CreateWebhook)
  const [update, change] = useMutation(UpdateWebhook)
  const { errorOf, general } = byField(errors, ['url', 'eventTypes'])
  const values = { url: url.trim(), eventTypes: [...eventTypes] }
  const copied = webhook
    ? { document: UpdateWebhook, variables: { input: { id: webhook.id, ...values } } }
    : { document: CreateWebhook, variables: { input: { accountId: account.id, ...values } } }
  const edited = () => {
    setErrors([])
    setIdempotencyKey(crypto.randomUUID())
  }
  const submit = async () => {
    if (webhook) {
      const failures = userErrors(await change({ input: { id: webhook.id, ...values } }))
      setErrors(failures)
      if (failures.length === 0) onClose()
      return
    }
    const result = await create({ input: { accountId: account.id, ...values, idempotencyKey } })
    const made = result.data?.createWebhook
    setErrors(userErrors(result))
    if (made?.secret) setSecret(made.secret)
    else if (made?.webhook) onClose()
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
      title={t(webhook ? 'webhooks.change' : 'webhooks.create')}
      error={general}
      onClose={onClose}
      onSubmit={() => void submit()}
      aside={<CopyAs {...copied} />}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" color="primary" disabled={creation.fetching || update.fetching}>
            {t(webhook ? 'webhooks.save' : 'webhooks.submit')}
          </Button>
        </>
      }
    >
      <Field label={t('webhooks.url')} hint={t('webhooks.urlHint')} error={errorOf('url')}>
        {(control) => (
          <OutlinedInput
            autoFocus
            type="url"
            value={url}
            placeholder={t('webhooks.urlPlaceholder')}
            onChange={(event) => {
              setUrl(event.target.value)
              edited()
            }}
            inputProps={{ ...control, dir: 'ltr', autoComplete: 'off', spellCheck: false }}
          />
        )}
      </Field>
      <EventTypes
        value={eventTypes}
        error={errorOf('eventTypes')}
        onChange={(types) => {
          setTypes(types)
          edited()
        }}
      />
    </FormDialog>
  )
}
