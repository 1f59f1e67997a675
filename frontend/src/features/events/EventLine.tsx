import { apiText } from '@/shared/i18n'
import { Box } from '@mui/material'
import { inset, tabular } from '@/shared/components/styles'
import { vars } from '@/shared/tokens'
import { RelativeTime, formatClock } from '@/shared/time'
import { DISPLAY, TONES, displayState, type Tone } from '@/features/stores/state'
import type { StoreEvent } from './documents'

const ICONS: Record<StoreEvent['type'], React.ReactNode> = {
  STATUS: <rect x="1.5" y="1.5" width="9" height="9" rx="2.5" fill="currentColor" />,
  STEP: <circle cx="6" cy="6" r="3" fill="currentColor" />,
  HEALTH: <path d="M6 1.5 11 10.5H1z" fill="currentColor" stroke="currentColor" strokeLinejoin="round" />,
  NOTICE: <circle cx="6" cy="6" r="3.5" fill="none" stroke="currentColor" strokeWidth="1.75" />,
}
const STEP_TONES = { PENDING: 'idle', RUNNING: 'busy', SUCCEEDED: 'ready', FAILED: 'bad' } as const

/** An event doesn't tell the health it led to, so a HEALTH event has no tone of its own. */
function toneOf({ type, step, status }: StoreEvent): Tone {
  if (step) return STEP_TONES[step.status]
  if (type === 'STATUS') return DISPLAY[displayState({ status, health: null })].tone
  return type === 'HEALTH' ? 'warn' : 'idle'
}

/** One event: its icon, its message and its time, relative or (`exact`) of the day. */
export function EventLine({ event, exact = false }: { event: StoreEvent; exact?: boolean }) {
  const { type, message, at, step } = event
  return (
    <Box component="li" data-event={type} sx={{ display: 'flex', gap: 3, ...inset, py: 1.5 }}>
      <Box
        component="svg"
        viewBox="0 0 12 12"
        aria-hidden
        sx={{ width: 12, height: 12, flex: 'none', color: TONES[toneOf(event)].fg, mt: '5px' }}
      >
        {ICONS[type]}
      </Box>
      <Box
        sx={{
          flex: 1,
          minWidth: 0,
          textWrap: 'pretty',
          fontWeight: type === 'STATUS' ? 550 : 400,
          color: step?.status === 'SUCCEEDED' ? vars.textSecondary : vars.text,
        }}
      >
        {apiText(message)}
      </Box>
      <Box
        component="span"
        sx={{
          flex: 'none',
          color: vars.textSecondary,
          fontSize: '0.75rem',
          lineHeight: '21px',
          minWidth: 56,
          textAlign: 'end',
          ...tabular,
        }}
      >
        {exact ? <time dateTime={at}>{formatClock(at)}</time> : <RelativeTime at={at} />}
      </Box>
    </Box>
  )
}
