import { Box, Button, Typography } from '@mui/material'
import { useCallback, useReducer, useState } from 'react'
import { useParams } from 'react-router'
import { useMutation } from 'urql'
import { CopyButton } from '@/shared/components/CopyButton'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { DescriptionList } from '@/shared/components/DescriptionList'
import { PageHead } from '@/shared/components/PageHead'
import { Section } from '@/shared/components/Card'
import { errorMessage, userErrors } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { Play } from '@/shared/icons'
import { Day } from '@/shared/time'
import { showToast } from '@/shared/toast'
import { useSession } from '@/features/session/viewer'
import { Deliveries } from './Deliveries'
import { TestWebhook, UpdateWebhook, WebhookQuery, type Webhook } from './documents'
import { ManageWebhook } from './ManageWebhook'
import { ReplayDialog } from './ReplayDialog'
import { useDeliveryUpdates } from './useDeliveryUpdates'
import { WebhookDialog } from './WebhookDialog'
import { DeliveryProblem, WebhookState } from './WebhookState'

/** One webhook: where it leads, what was sent, and what can be changed. */
export function WebhookPage() {
  const { id = '' } = useParams()
  const { data, error, refetch } = useData({ query: WebhookQuery, variables: { id } })
  const webhook = data?.node && 'url' in data.node ? data.node : undefined
  if (webhook) return <Found key={id} webhook={webhook} onChange={refetch} />
  return (
    <>
      <PageHead title={t('webhooks.title')} back={{ to: '/account/webhooks', label: t('webhooks.title') }} />
      {error && <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner>}
      {data && <Typography>{t('webhooks.notFound')}</Typography>}
    </>
  )
}

interface FoundProps {
  webhook: Webhook
  onChange: () => void
}

function Found({ webhook, onChange }: FoundProps) {
  const { canWrite } = useSession()
  const [version, readDeliveries] = useReducer((n: number) => n + 1, 0)
  const [changing, setChanging] = useState(false)
  const [replayAfter, setReplayAfter] = useState<string | null>(null)
  const [testing, test] = useMutation(TestWebhook)
  const [updating, update] = useMutation(UpdateWebhook)
  const read = useCallback(() => {
    readDeliveries()
    onChange()
  }, [onChange])
  const refetchSoon = useDeliveryUpdates(read, webhook.nextAttemptAt)
  const { id, url, status, eventTypes, createdAt } = webhook

  const sendTest = async () => {
    const [failure] = userErrors(await test({ input: { id } }))
    showToast({ text: failure?.message ?? t('webhooks.testStarted') })
    refetchSoon()
  }
  const enable = async (enabled: boolean) => {
    const [failure] = userErrors(await update({ input: { id, enabled } }))
    if (failure) showToast({ text: failure.message })
    refetchSoon()
  }
  const enableButton = (
    <Button disabled={updating.fetching} onClick={() => void enable(true)}>
      {t(status === 'FAILING' ? 'webhooks.tryNow' : 'webhooks.enable')}
    </Button>
  )
  return (
    <>
      <PageHead
        title={new URL(url).host}
        back={{ to: '/account/webhooks', label: t('webhooks.title') }}
        tag={<WebhookState status={status} />}
      >
        {canWrite && (
          <>
            <Button startIcon={<Play />} disabled={testing.fetching} onClick={() => void sendTest()}>
              {t('webhooks.test')}
            </Button>
            <Button onClick={() => setChanging(true)}>{t('webhooks.changeOpen')}</Button>
          </>
        )}
      </PageHead>
      <Box sx={{ display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: 6 }}>
        <DeliveryProblem webhook={webhook}>{canWrite && enableButton}</DeliveryProblem>
        <Section title={t('webhooks.details')}>
          <DescriptionList
            wide
            rows={[
              [
                t('webhooks.url'),
                <>
                  <Box key="url" component="span" dir="ltr" sx={{ overflowWrap: 'anywhere', minWidth: 0 }}>
                    {url}
                  </Box>
                  <CopyButton key="copy" text={url} label={t('webhooks.copyUrl')} />
                </>,
              ],
              [t('webhooks.eventTypes'), eventTypes.map((type) => t(`activity.${type}`)).join(', ')],
              [t('tokens.made'), <Day key="day" at={createdAt} />],
            ]}
          />
        </Section>
        <Section
          title={t('webhooks.deliveries')}
          aside={
            <Button size="small" variant="text" onClick={read}>
              {t('webhooks.refresh')}
            </Button>
          }
        >
          <Deliveries webhookId={id} version={version} onReplay={canWrite ? setReplayAfter : undefined} />
        </Section>
        {canWrite && (
          <ManageWebhook
            webhook={webhook}
            onReplay={() => setReplayAfter(webhook.cursor)}
            onDisable={status === 'DISABLED' ? undefined : () => void enable(false)}
          />
        )}
      </Box>
      {changing && <WebhookDialog webhook={webhook} onClose={() => setChanging(false)} />}
      {replayAfter !== null && (
        <ReplayDialog
          webhook={webhook}
          after={replayAfter}
          onClose={(done) => {
            setReplayAfter(null)
            if (done) refetchSoon()
          }}
        />
      )}
    </>
  )
}
