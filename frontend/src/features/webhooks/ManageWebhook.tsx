import { Button } from '@mui/material'
import { useState } from 'react'
import { Section, SettingsRow } from '@/shared/components/Card'
import { t } from '@/shared/i18n'
import { DeleteWebhookDialog } from './DeleteWebhookDialog'
import type { Webhook } from './documents'
import { RotateSecretDialog } from './RotateSecretDialog'

interface ManageWebhookProps {
  webhook: Webhook
  onReplay: () => void
  /** Undefined: it is disabled. */
  onDisable: (() => void) | undefined
}

/** What is done seldom. */
export function ManageWebhook({ webhook, onReplay, onDisable }: ManageWebhookProps) {
  const [dialog, setDialog] = useState<'rotate' | 'delete' | null>(null)
  const close = () => setDialog(null)
  return (
    <Section title={t('webhooks.manage')}>
      <SettingsRow text={t('webhooks.rotateText')}>
        <Button onClick={() => setDialog('rotate')}>{t('webhooks.rotateOpen')}</Button>
      </SettingsRow>
      <SettingsRow text={t('webhooks.replayText')}>
        <Button onClick={onReplay}>{t('webhooks.replayOpen')}</Button>
      </SettingsRow>
      {onDisable && (
        <SettingsRow text={t('webhooks.disableText')}>
          <Button onClick={onDisable}>{t('webhooks.disable')}</Button>
        </SettingsRow>
      )}
      <SettingsRow text={t('webhooks.deleteText')}>
        <Button color="error" onClick={() => setDialog('delete')}>
          {t('webhooks.deleteOpen')}
        </Button>
      </SettingsRow>
      {dialog === 'rotate' && <RotateSecretDialog webhook={webhook} onClose={close} />}
      {dialog === 'delete' && <DeleteWebhookDialog webhook={webhook} onClose={close} />}
    </Section>
  )
}
