import { Box, Button } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { inset, muted, plainList, row } from '@/shared/components/styles'
import { errorMessage, userErrors } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { Monitor } from '@/shared/icons'
import { v } from '@/shared/tokens'
import { Ago } from '@/shared/time'
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

const SHOWN = 5

/** Where one is signed in; each session but this one can be ended. */
export function Sessions() {
  const { data, error, refetch } = useData({ query: SessionsQuery, variables: {} })
  const [{ fetching }, execute] = useMutation(EndSession)
  const [all, setAll] = useState(false)
  const sessions = data?.viewer?.sessionsConnection.nodes ?? []
  const end = async ({ id }: Session) => {
    const [failure] = userErrors(await execute({ input: { id } }))
    if (failure) showToast({ text: failure.message })
    refetch()
  }
  if (error && !data) return <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner>
  return (
    <Box component="ul" sx={{ ...plainList, minHeight: 60 }}>
      {(all ? sessions : sessions.slice(0, SHOWN)).map((session) => (
        <Box key={session.id} component="li" sx={row}>
          <Monitor sx={{ color: v.ink3, fontSize: 18 }} />
          <Box sx={{ flex: 1, minWidth: 0 }}>
            <Box sx={{ fontWeight: 550 }}>{browserName(session.userAgent)}</Box>
            <Box sx={muted}>
              {session.operator && `${t('sessions.byOperator')} · `}
              {t('sessions.since')} <Ago at={session.createdAt} />
              {session.lastUsedAt && (
                <>
                  {' · '}
                  {t('sessions.lastUsed')} <Ago at={session.lastUsedAt} />
                </>
              )}
            </Box>
          </Box>
          {session.current ? (
            <Box component="span" sx={{ fontSize: '0.8125rem', color: v.readyFg, fontWeight: 550 }}>
              {t('sessions.current')}
            </Box>
          ) : (
            <Button size="small" color="error" variant="text" disabled={fetching} onClick={() => void end(session)}>
              {t('sessions.end')}
            </Button>
          )}
        </Box>
      ))}
      {!all && sessions.length > SHOWN && (
        <Box component="li" sx={{ ...inset, py: 3, borderTop: `1px solid ${v.line}` }}>
          <Button size="small" onClick={() => setAll(true)}>
            {t('sessions.showAll', { count: sessions.length })}
          </Button>
        </Box>
      )}
    </Box>
  )
}
