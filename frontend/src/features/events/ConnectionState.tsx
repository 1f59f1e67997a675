import { Box, keyframes } from '@mui/material'
import { lostSince } from '@/shared/graphql/connection'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import { formatMinute } from '@/shared/time'

/** Of a ring behind the dot: only its size and its opacity change, so no frame has to be painted for it. */
const beat = keyframes`
  0%, 70%, 100% { transform: scale(1); opacity: 0 }
  35% { transform: scale(2.1); opacity: 0.4 }
`

/** Whether what is on screen is up to date; without a connection since when it isn't. */
export function ConnectionState() {
  const since = lostSince.use()
  return (
    <Box
      component="span"
      role="status"
      data-connection={since === null ? 'live' : 'lost'}
      sx={{
        display: 'inline-flex',
        alignItems: 'center',
        gap: 1.5,
        fontSize: '0.8125rem',
        color: since === null ? vars.textSecondary : vars.warnFg,
      }}
    >
      <Box
        component="span"
        aria-hidden
        sx={{
          width: 7,
          height: 7,
          borderRadius: '50%',
          bgcolor: since === null ? vars.readyFg : vars.warnFg,
          ...(since === null && {
            '&::after': {
              content: '""',
              display: 'block',
              height: '100%',
              borderRadius: '50%',
              bgcolor: vars.readyFg,
              animation: `${beat} 2.8s ease-in-out infinite`,
            },
          }),
        }}
      />
      {since === null ? t('connection.live') : t('connection.lost', { time: formatMinute(since) })}
    </Box>
  )
}

/** The same line on pages that don't show the state otherwise; nothing while the connection is there. */
export function ConnectionLost() {
  const since = lostSince.use()
  if (since === null) return null
  return (
    <Box
      sx={{ mb: 4, px: 4, py: 2, borderRadius: '8px', bgcolor: vars.warnBg, border: `1px solid ${vars.warnBorder}` }}
    >
      <ConnectionState />
    </Box>
  )
}
