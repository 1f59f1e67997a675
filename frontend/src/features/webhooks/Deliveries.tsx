import { Box, Button, IconButton } from '@mui/material'
import { useEffect, useState } from 'react'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { inset, muted, plainList, row, tabular } from '@/shared/components/styles'
import { Tag } from '@/shared/components/Tag'
import { errorMessage } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { Retry } from '@/shared/icons'
import { mono, v } from '@/shared/tokens'
import { Ago, duration, formatClock } from '@/shared/time'
import { Glyph } from '@/features/stores/Glyph'
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

/** The log of attempts, the newest first, a page at a time. */
export function Deliveries(props: DeliveriesProps) {
  const [cursors, setCursors] = useState<(string | null)[]>([null])
  return (
    <Box component="ul" aria-label={t('webhooks.deliveries')} sx={plainList}>
      {cursors.map((after, i) => (
        <Page
          key={after}
          {...props}
          // A newer first page would leave a gap before an older second one.
          version={cursors.length === 1 ? props.version : 0}
          after={after}
          onMore={i === cursors.length - 1 ? (next) => setCursors([...cursors, next]) : undefined}
        />
      ))}
    </Box>
  )
}

interface PageProps extends DeliveriesProps {
  after: string | null
  /** Undefined: the next page is there already. */
  onMore: ((cursor: string) => void) | undefined
}

function Page({ webhookId, version, after, onMore, onReplay }: PageProps) {
  const variables = { id: webhookId, first: PAGE, after }
  const { data, error, fetching, refetch } = useData({ query: DeliveriesQuery, variables })
  useEffect(() => {
    if (version > 0) refetch()
  }, [version, refetch])
  const log = data?.node && 'deliveries' in data.node ? data.node.deliveries : undefined
  if (!log && !fetching) {
    return (
      <Box component="li">
        <ErrorBanner onRetry={refetch}>{error ? errorMessage(error) : t('error.unknown')}</ErrorBanner>
      </Box>
    )
  }
  const next = log?.pageInfo.hasNextPage ? log.pageInfo.endCursor : null
  return (
    <>
      {log?.nodes.map((delivery) => (
        <DeliveryRow key={delivery.id} delivery={delivery} onReplay={onReplay} />
      ))}
      {log?.nodes.length === 0 && (
        <Box component="li" sx={{ ...inset, py: 6, color: v.ink2, textAlign: 'center' }}>
          {t('webhooks.noDelivery')}
        </Box>
      )}
      {next !== null && onMore && (
        <Box component="li" sx={{ ...inset, py: 3, borderTop: `1px solid ${v.line}` }}>
          <Button size="small" onClick={() => onMore(next)}>
            {t('webhooks.older')}
          </Button>
        </Box>
      )}
    </>
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
        <Glyph state={delivered ? 'ready' : 'failed'} />
      </Box>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', columnGap: 2 }}>
          <Box component="span" dir="ltr" sx={{ fontFamily: mono, fontSize: '0.8125rem', fontWeight: 550 }}>
            {type}
          </Box>
          {statusCode !== null && <Tag>{statusCode}</Tag>}
        </Box>
        {error && <Box sx={{ fontSize: '0.8125rem', color: v.badFg, textWrap: 'pretty' }}>{error}</Box>}
        <Box sx={{ ...muted, ...tabular }}>
          <Ago at={at} />
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
