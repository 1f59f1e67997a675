import { Box, IconButton } from '@mui/material'
import { PagedList } from '@/shared/components/PagedList'
import { muted, row, tabular } from '@/shared/components/styles'
import { Tag } from '@/shared/components/Tag'
import { t } from '@/shared/i18n'
import { Retry } from '@/shared/icons'
import { mono, vars } from '@/shared/tokens'
import { RelativeTime, duration, formatClock } from '@/shared/time'
import { StateIcon } from '@/features/stores/StateIcon'
import { DeliveriesQuery, type Delivery } from './documents'

const PAGE = 20
/** The messageId of all others is an event's cursor. */
const TEST = 'webhook.test'

interface DeliveriesProps {
  webhookId: string
  /** Grows when the log must be read again. */
  version: number
  onReplay: ((after: string) => void) | undefined
}

/** The log of attempts, the newest first. */
export function Deliveries({ webhookId, version, onReplay }: DeliveriesProps) {
  return (
    <PagedList
      label={t('webhooks.deliveries')}
      query={DeliveriesQuery}
      variables={{ id: webhookId }}
      connectionOf={({ node }) => (node && 'deliveries' in node ? node.deliveries : null)}
      keyOf={({ id }) => id}
      first={PAGE}
      version={version}
      empty={t('webhooks.noDelivery')}
    >
      {(delivery) => <DeliveryRow delivery={delivery} onReplay={onReplay} />}
    </PagedList>
  )
}

interface DeliveryRowProps {
  delivery: Delivery
  onReplay: DeliveriesProps['onReplay']
}

function DeliveryRow({ delivery, onReplay }: DeliveryRowProps) {
  const { type, messageId, attempt, at, latencyMs, delivered, statusCode, error, nextAttemptAt } = delivery
  return (
    <Box component="li" sx={{ ...row, alignItems: 'flex-start' }}>
      <Box sx={{ pt: '3px' }}>
        <StateIcon state={delivered ? 'ready' : 'failed'} />
      </Box>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', columnGap: 2 }}>
          <Box component="span" dir="ltr" sx={{ fontFamily: mono, fontSize: '0.8125rem', fontWeight: 550 }}>
            {type}
          </Box>
          {statusCode !== null && <Tag>{statusCode}</Tag>}
        </Box>
        {error && <Box sx={{ fontSize: '0.8125rem', color: vars.badFg, textWrap: 'pretty' }}>{error}</Box>}
        <Box sx={{ ...muted, ...tabular }}>
          <RelativeTime at={at} />
          {' · '}
          {[
            t(delivered ? 'webhooks.delivered' : 'webhooks.notDelivered', { attempt }),
            duration(latencyMs),
            nextAttemptAt && t('webhooks.nextAttempt', { time: formatClock(nextAttemptAt) }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </Box>
      </Box>
      {onReplay && type !== TEST && (
        <IconButton
          size="small"
          aria-label={t('webhooks.replayAfter')}
          title={t('webhooks.replayAfter')}
          onClick={() => onReplay(messageId)}
        >
          <Retry sx={{ fontSize: 15 }} />
        </IconButton>
      )}
    </Box>
  )
}
