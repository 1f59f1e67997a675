import { Box, Button, Link as MuiLink, Typography } from '@mui/material'
import { useState } from 'react'
import { Link } from 'react-router'
import { Card } from '@/shared/components/Card'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { PageHead } from '@/shared/components/PageHead'
import { muted, plainList, row } from '@/shared/components/styles'
import { errorMessage } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { Plus } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { useSession } from '@/features/session/viewer'
import { WebhooksQuery, type Webhook } from './documents'
import { useDeliveryUpdates } from './useDeliveryUpdates'
import { WebhookDialog } from './WebhookDialog'
import { WebhookState } from './WebhookState'

/** Where the account's events are sent. */
export function WebhooksPage() {
  const { account, canWrite } = useSession()
  const { data, error, refetch } = useData({ query: WebhooksQuery, variables: { id: account.id } })
  const [creating, setCreating] = useState(false)
  const refetchSoon = useDeliveryUpdates(refetch)
  const webhooks = data?.account?.webhooks.nodes
  const isEmpty = webhooks?.length === 0
  const create = (
    <Button variant="contained" color="primary" startIcon={<Plus />} onClick={() => setCreating(true)}>
      {t('webhooks.create')}
    </Button>
  )
  return (
    <Box>
      <PageHead title={t('webhooks.title')} back={{ to: '/account', label: t('nav.account') }}>
        {canWrite && !isEmpty && create}
      </PageHead>
      {error && !data && <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner>}
      {isEmpty && <NoWebhooks>{canWrite && create}</NoWebhooks>}
      {webhooks && !isEmpty && (
        <Card component="ul" aria-label={t('webhooks.title')} sx={{ ...plainList, overflow: 'clip' }}>
          {webhooks.map((webhook) => (
            <WebhookRow key={webhook.id} webhook={webhook} />
          ))}
        </Card>
      )}
      {creating && (
        <WebhookDialog
          onClose={() => {
            setCreating(false)
            refetch()
            refetchSoon()
          }}
        />
      )}
    </Box>
  )
}

function WebhookRow({ webhook }: { webhook: Webhook }) {
  const { id, url, status, cause, eventTypes } = webhook
  return (
    <Box
      component="li"
      sx={{ ...row, position: 'relative', flexWrap: 'wrap', '&:hover': { bgcolor: vars.surfaceSunken } }}
    >
      <Box sx={{ flex: '1 1 16rem', minWidth: 0 }}>
        <MuiLink
          component={Link}
          to={`/account/webhooks/${encodeURIComponent(id)}`}
          dir="ltr"
          sx={{
            fontWeight: 550,
            overflowWrap: 'anywhere',
            '&::after': { content: '""', position: 'absolute', inset: 0 },
          }}
        >
          {url}
        </MuiLink>
        <Box sx={muted}>{cause ?? eventTypes.map((type) => t(`activity.${type}`)).join(', ')}</Box>
      </Box>
      <WebhookState status={status} />
    </Box>
  )
}

function NoWebhooks({ children }: { children: React.ReactNode }) {
  return (
    <Card sx={{ display: 'grid', justifyItems: 'center', textAlign: 'center', px: 5, py: { xs: 10, sm: 16 } }}>
      <Typography variant="h1" component="h2" sx={{ mb: 2 }}>
        {t('webhooks.emptyTitle')}
      </Typography>
      <Typography sx={{ color: vars.textSecondary, maxWidth: '52ch', mb: 6 }}>{t('webhooks.emptyText')}</Typography>
      {children}
    </Card>
  )
}
