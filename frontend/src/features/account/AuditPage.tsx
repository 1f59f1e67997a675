import { Box, Button } from '@mui/material'
import { Card } from '@/shared/components/Card'
import { PagedList } from '@/shared/components/PagedList'
import { PageHead } from '@/shared/components/PageHead'
import { inset, muted } from '@/shared/components/styles'
import { hasText, t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import { RelativeTime } from '@/shared/time'
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

/** Who did what in the account. */
export function AuditPage() {
  const { account } = useSession()
  return (
    <Box>
      <PageHead title={t('audit.title')} back={{ to: '/account', label: t('nav.account') }}>
        <Button component="a" href={`/export/audit?accountId=${encodeURIComponent(account.id)}`} download>
          {t('audit.download')}
        </Button>
      </PageHead>
      <Card sx={{ overflow: 'clip' }}>
        <PagedList
          label={t('audit.title')}
          query={AuditQuery}
          variables={{ id: account.id }}
          connectionOf={(data) => data.account?.auditLog}
          keyOf={({ id }) => id}
          first={PAGE}
        >
          {(entry) => <Entry entry={entry} />}
        </PagedList>
      </Card>
    </Box>
  )
}

function Entry({ entry }: { entry: AuditEntry }) {
  const { action, actor, user, operator, address, userAgent, result, at } = entry
  const what = objectOf(entry)
  const who =
    actor.kind === 'token' && user?.name ? t('audit.byToken', { token: actor.name ?? '…', user: user.name }) : null
  return (
    <Box component="li" sx={{ ...inset, py: 3, '& + &': { borderTop: `1px solid ${vars.border}` } }}>
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
          <Box component="span" sx={{ color: vars.badFg, fontSize: '0.8125rem', fontWeight: 550 }}>
            {t('audit.refused')}
          </Box>
        )}
        <Box component="span" sx={{ ml: 'auto', ...muted }}>
          <RelativeTime at={at} />
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
