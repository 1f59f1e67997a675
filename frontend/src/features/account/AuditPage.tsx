import { Box, Button } from '@mui/material'
import { useState } from 'react'
import { Card } from '@/shared/components/Card'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { PageHead } from '@/shared/components/PageHead'
import { inset, muted, plainList } from '@/shared/components/styles'
import { errorMessage } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { hasText, t } from '@/shared/i18n'
import { v } from '@/shared/tokens'
import { Ago } from '@/shared/time'
import { useSession } from '@/features/session/viewer'
import { AuditQuery, type AuditEntry } from './documents'
import { browserName } from './Sessions'

const PAGE = 50

/** What was done; of a refused mutation, and of an action that this dashboard doesn't know, as the API calls it. */
function actionName(action: string) {
  const key = `action.${action}` as const
  return hasText(key) ? t(key) : t('audit.tried', { mutation: action })
}

/** To whom or to what, and what was chosen. */
function objectOf({ subject, actor, details }: AuditEntry) {
  const detail = (...names: string[]) => details.find(({ name }) => names.includes(name))?.value
  const isOwn = subject.kind === 'account' || subject.name === actor.name
  const role = detail('role')
  const roleKey = `role.${role?.toUpperCase() ?? ''}` as const
  const chosen = role && hasText(roleKey) ? t(roleKey) : detail('plan', 'reason')
  return [isOwn ? null : (subject.name ?? detail('name', 'slug', 'host')), chosen].filter(Boolean).join(' · ')
}

/** Who did what in the account, a page at a time. */
export function AuditPage() {
  const { account } = useSession()
  const [cursors, setCursors] = useState<(string | null)[]>([null])
  return (
    <Box>
      <PageHead title={t('audit.title')} back={{ to: '/account', label: t('nav.account') }}>
        <Button component="a" href={`/export/audit?accountId=${encodeURIComponent(account.id)}`} download>
          {t('audit.download')}
        </Button>
      </PageHead>
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
  const { action, actor, user, operator, address, userAgent, result, at } = entry
  const what = objectOf(entry)
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
        <Box component="span" sx={{ ml: 'auto', ...muted }}>
          <Ago at={at} />
        </Box>
      </Box>
      <Box sx={{ ...muted, overflowWrap: 'anywhere' }}>
        {[
          who ?? actor.name ?? t('audit.operator'),
          operator?.name && t('audit.byOperator', { operator: operator.name }),
          userAgent && browserName(userAgent),
          address,
        ]
          .filter(Boolean)
          .join(' · ')}
      </Box>
    </Box>
  )
}
