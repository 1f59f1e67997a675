import { Box, Button } from '@mui/material'
import { useReducer } from 'react'
import { useMutation } from 'urql'
import { PagedList } from '@/shared/components/PagedList'
import { muted, row } from '@/shared/components/styles'
import { userErrors } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { Monitor } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { RelativeTime } from '@/shared/time'
import { showToast } from '@/shared/toast'
import { EndSession, SessionsQuery, type Session } from './documents'

/** "Firefox on Linux", as far as a user agent's text tells. */
export function browserName(userAgent: string | null) {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent ?? '')?.[1]
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(userAgent ?? '')?.[1]
  if (!browser) return t('sessions.unknown')
  const name = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser
  return system ? t('sessions.browser', { browser: name, system: system.replace('Mac OS X', 'macOS') }) : name
}

const FIRST = 5

/** Where one is signed in; each session but this one can be ended. */
export function Sessions() {
  const [version, refetch] = useReducer((n: number) => n + 1, 0)
  return (
    <PagedList
      label={t('sessions.title')}
      query={SessionsQuery}
      variables={{}}
      connectionOf={(data) => data.viewer?.sessionsConnection}
      keyOf={({ id }) => id}
      first={FIRST}
      version={version}
    >
      {(session) => <SessionRow session={session} onEnd={refetch} />}
    </PagedList>
  )
}

function SessionRow({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const [{ fetching }, execute] = useMutation(EndSession)
  const end = async () => {
    const [failure] = userErrors(await execute({ input: { id: session.id } }))
    if (failure) showToast({ text: failure.message })
    onEnd()
  }
  return (
    <Box component="li" sx={row}>
      <Monitor sx={{ color: vars.textTertiary, fontSize: 18 }} />
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ fontWeight: 550 }}>{browserName(session.userAgent)}</Box>
        <Box sx={muted}>
          {session.operator && `${t('sessions.byOperator')} · `}
          {t('sessions.since')} <RelativeTime at={session.createdAt} />
          {session.lastUsedAt && (
            <>
              {' · '}
              {t('sessions.lastUsed')} <RelativeTime at={session.lastUsedAt} />
            </>
          )}
        </Box>
      </Box>
      {session.current ? (
        <Box component="span" sx={{ fontSize: '0.8125rem', color: vars.readyFg, fontWeight: 550 }}>
          {t('sessions.current')}
        </Box>
      ) : (
        <Button size="small" color="error" variant="text" disabled={fetching} onClick={() => void end()}>
          {t('sessions.end')}
        </Button>
      )}
    </Box>
  )
}
