import { Box, Button, Typography } from '@mui/material'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import { Card } from '@/shared/components/Card'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { inset, plainList } from '@/shared/components/styles'
import { errorMessage } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t, type MessageKey } from '@/shared/i18n'
import { ArrowLeft } from '@/shared/icons'
import { v } from '@/shared/tokens'
import { Ago } from '@/shared/time'
import { useSession } from '@/features/session/viewer'
import { AuditQuery, type AuditEntry } from './documents'
import { browserName } from './Sessions'

const PAGE = 50

const ACTIONS = {
  'store.created': 'audit.storeCreated',
  'store.adopted': 'audit.storeAdopted',
  'store.retried': 'audit.storeRetried',
  'store.plan_changed': 'audit.planChanged',
  'store.suspended': 'audit.storeSuspended',
  'store.resumed': 'audit.storeResumed',
  'store.deleted': 'audit.storeDeleted',
  'credentials.rotated': 'audit.credentialsRotated',
  'credentials.revealed': 'audit.credentialsRevealed',
  'token.created': 'audit.tokenCreated',
  'token.revoked': 'audit.tokenRevoked',
  'user.signed_up': 'audit.signedUp',
  'user.signed_in': 'audit.signedIn',
  'user.signed_in_with_link': 'audit.signedInWithLink',
  'user.signed_in_with_identity': 'audit.signedInWithIdentity',
  'identity.linked': 'audit.identityLinked',
  'user.signed_out': 'audit.signedOut',
  'session.ended': 'audit.sessionEnded',
  'password.changed': 'audit.passwordChanged',
  'audit.exported': 'audit.exported',
  'member.invited': 'audit.memberInvited',
  'member.role_changed': 'audit.roleChanged',
  'member.removed': 'audit.memberRemoved',
  'member.left': 'audit.memberLeft',
  'invitation.accepted': 'audit.invitationAccepted',
  'invitation.revoked': 'audit.invitationRevoked',
} as const satisfies Record<string, MessageKey>
const isKnown = (action: string): action is keyof typeof ACTIONS => action in ACTIONS

/** The name of an action; of one that this dashboard doesn't know, what the API calls it. */
function actionName(action: string) {
  return isKnown(action) ? t(ACTIONS[action]) : action
}

/** Who did what in the account, a page at a time. */
export function AuditPage() {
  const { account } = useSession()
  const [cursors, setCursors] = useState<(string | null)[]>([null])
  useEffect(() => {
    document.title = `${t('audit.title')} · ${t('product')}`
  }, [])
  return (
    <Box>
      <Button component={Link} to="/account" variant="text" startIcon={<ArrowLeft />} sx={{ mb: 3, ml: -2 }}>
        {t('nav.account')}
      </Button>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 4, mb: 7 }}>
        <Typography variant="display" component="h1" sx={{ flex: 1 }}>
          {t('audit.title')}
        </Typography>
        <Button component="a" href={`/export/audit?accountId=${encodeURIComponent(account.id)}`} download>
          {t('audit.download')}
        </Button>
      </Box>
      <Card component="ul" aria-label={t('audit.title')} sx={{ ...plainList, overflow: 'clip' }}>
        {cursors.map((after, i) => (
          <Entries
            key={after}
            after={after}
            onMore={i === cursors.length - 1 ? (next) => setCursors([...cursors, next]) : undefined}
          />
        ))}
      </Card>
    </Box>
  )
}

interface EntriesProps {
  after: string | null
  /** Undefined: the next page is there already. */
  onMore: ((cursor: string) => void) | undefined
}

function Entries({ after, onMore }: EntriesProps) {
  const { account } = useSession()
  const { data, error, refetch } = useData({ query: AuditQuery, variables: { id: account.id, first: PAGE, after } })
  const log = data?.account?.auditLog
  if (error && !log) {
    return (
      <Box component="li">
        <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner>
      </Box>
    )
  }
  const next = log?.pageInfo.hasNextPage ? log.pageInfo.endCursor : null
  return (
    <>
      {log?.nodes.map((entry) => (
        <Entry key={entry.id} entry={entry} />
      ))}
      {next !== null && onMore && (
        <Box component="li" sx={{ ...inset, py: 3, borderTop: `1px solid ${v.line}` }}>
          <Button size="small" onClick={() => onMore(next)}>
            {t('audit.more')}
          </Button>
        </Box>
      )}
    </>
  )
}

function Entry({ entry }: { entry: AuditEntry }) {
  const { action, actor, user, subject, address, userAgent, details, result, at } = entry
  const isOwn = subject.kind === 'account' || subject.name === actor.name
  const what = isOwn ? null : (subject.name ?? details.find(({ name }) => name === 'name')?.value)
  const who =
    actor.kind === 'token' && user?.name ? t('audit.byToken', { token: actor.name ?? '…', user: user.name }) : null
  return (
    <Box component="li" sx={{ ...inset, py: 3, '& + &': { borderTop: `1px solid ${v.line}` } }}>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'baseline', columnGap: 2 }}>
        <Box component="span" sx={{ fontWeight: 550 }}>
          {actionName(action)}
        </Box>
        {what && (
          <Box component="span" sx={{ overflowWrap: 'anywhere' }}>
            {what}
          </Box>
        )}
        {result === 'REFUSED' && (
          <Box component="span" sx={{ color: v.badFg, fontSize: '0.8125rem', fontWeight: 550 }}>
            {t('audit.refused')}
          </Box>
        )}
        <Box component="span" sx={{ ml: 'auto', fontSize: '0.8125rem', color: v.ink2 }}>
          <Ago at={at} />
        </Box>
      </Box>
      <Box sx={{ fontSize: '0.8125rem', color: v.ink2, overflowWrap: 'anywhere' }}>
        {[who ?? actor.name ?? t('audit.operator'), userAgent && browserName(userAgent), address]
          .filter((part) => part !== null)
          .join(' · ')}
      </Box>
    </Box>
  )
}
