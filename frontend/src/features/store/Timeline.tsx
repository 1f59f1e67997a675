import { Box, keyframes } from '@mui/material'
import { inset, plainList, tabular, visuallyHidden } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { motion, vars } from '@/shared/tokens'
import { duration, useNow } from '@/shared/time'
import type { ShownStep } from '@/features/stores/state'

const draw = keyframes`from { stroke-dashoffset: 10 } to { stroke-dashoffset: 0 }`
const spin = keyframes`to { transform: rotate(360deg) }`
const line = { fill: 'none', stroke: 'currentColor', strokeLinecap: 'round', strokeLinejoin: 'round' } as const
/** A bar stops before its end, and a step is called late at twice its usual time. */
const BAR_LIMIT = 97
const LATE = 2
/** A usual time below this says nothing to people. */
const INSTANT_MS = 10

const DOTS: Record<ShownStep['status'], { colour: string; shape: React.ReactNode }> = {
  SUCCEEDED: {
    colour: vars.readyFg,
    shape: (
      <>
        <circle cx="10" cy="10" r="9" fill={vars.readyBg} />
        <Box
          component="path"
          d="m6.3 10.3 2.6 2.6 4.9-5.4"
          {...line}
          strokeWidth="1.75"
          strokeDasharray="12"
          sx={{ animation: `${draw} ${motion.calm}ms ${motion.ease}` }}
        />
      </>
    ),
  },
  FAILED: {
    colour: vars.badFg,
    shape: (
      <>
        <path d="M6.8 1.5h6.4l5.3 5.3v6.4l-5.3 5.3H6.8l-5.3-5.3V6.8z" fill="currentColor" />
        <path d="m7.3 7.3 5.4 5.4m0-5.4-5.4 5.4" stroke={vars.surface} strokeWidth="1.9" strokeLinecap="round" />
      </>
    ),
  },
  RUNNING: {
    colour: vars.busyFg,
    shape: (
      <>
        <circle cx="10" cy="10" r="8" fill="none" stroke={vars.busyBorder} strokeWidth="2" />
        <path d="M10 2a8 8 0 0 1 8 8" {...line} strokeWidth="2" />
      </>
    ),
  },
  PENDING: { colour: vars.borderStrong, shape: <circle cx="10" cy="10" r="4" {...line} strokeWidth="1.75" /> },
}

/** The steps of a store: what, how long it took, how long it usually takes. */
export function Timeline({ steps }: { steps: ShownStep[] }) {
  const now = useNow(
    100,
    steps.some(({ status }) => status === 'RUNNING'),
  )
  return (
    <Box component="ol" sx={{ ...plainList, py: 2 }}>
      {steps.map((step) => (
        <Line key={step.name} step={step} now={now} />
      ))}
    </Box>
  )
}

function Line({ step, now }: { step: ShownStep; now: number }) {
  const { status, title, startedAt, finishedAt, usualMs, message } = step
  const ms = startedAt === null ? null : (finishedAt ?? now) - startedAt
  const running = status === 'RUNNING'
  const { colour, shape } = DOTS[status]
  return (
    <Box component="li" aria-current={running ? 'step' : undefined} data-step={status} sx={lineStyle(status)}>
      <Box aria-hidden sx={{ alignSelf: 'flex-start', pt: '1px', zIndex: 1, bgcolor: vars.surface }}>
        <Box
          component="svg"
          viewBox="0 0 20 20"
          sx={{
            width: 20,
            height: 20,
            display: 'block',
            color: colour,
            ...(running ? { animation: `${spin} 1.1s linear infinite` } : {}),
          }}
        >
          {shape}
        </Box>
      </Box>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ display: 'flex', gap: 3, alignItems: 'baseline' }}>
          <Box
            sx={{
              flex: 1,
              minWidth: 0,
              fontWeight: running || status === 'FAILED' ? 550 : 400,
              color: status === 'PENDING' ? vars.textTertiary : vars.text,
            }}
          >
            {title}
            <Box component="span" sx={visuallyHidden}>
              : {t(`step.${status}`)}
            </Box>
          </Box>
          <Box sx={{ flex: 'none', fontSize: '0.8125rem', color: timeColour(status), ...tabular }}>
            {timeText(status, ms, usualMs)}
          </Box>
        </Box>
        {running && ms !== null && <RunningStep title={title} ms={ms} usualMs={usualMs} message={message} />}
      </Box>
    </Box>
  )
}

const timeColour = (status: ShownStep['status']) =>
  ({ PENDING: vars.textTertiary, RUNNING: vars.text, SUCCEEDED: vars.textSecondary, FAILED: vars.badFg })[status]

function timeText(status: ShownStep['status'], ms: number | null, usualMs: number | null) {
  if (ms === null)
    return usualMs === null || usualMs < INSTANT_MS ? '' : t('timeline.usually', { duration: duration(usualMs) })
  if (status !== 'FAILED') return duration(ms)
  return ms < INSTANT_MS ? t('timeline.gaveUpAtOnce') : t('timeline.gaveUp', { duration: duration(ms) })
}

interface RunningProps {
  title: string
  ms: number
  usualMs: number | null
  message: string | null
}

function RunningStep({ title, ms, usualMs, message }: RunningProps) {
  const known = usualMs !== null && usualMs >= INSTANT_MS
  const late = known && ms > usualMs * LATE
  const usual = known ? duration(usualMs) : undefined
  return (
    <Box sx={{ mt: 2, mb: 0.5, fontSize: '0.8125rem' }}>
      {known && (
        <Box
          role="progressbar"
          aria-label={title}
          sx={{ height: 4, borderRadius: '2px', bgcolor: vars.busyBg, overflow: 'hidden' }}
        >
          <Box
            style={{ width: `${Math.min(BAR_LIMIT, (ms / usualMs) * 100)}%` }}
            sx={{ height: '100%', bgcolor: vars.busyFg, borderRadius: '2px', transition: 'width 120ms linear' }}
          />
        </Box>
      )}
      {message && message !== `${title}.` && (
        <Box sx={{ mt: 1.5, color: vars.textSecondary, textWrap: 'pretty' }}>{message}</Box>
      )}
      {usual && (
        <Box sx={{ mt: 1.5, color: late ? vars.warnFg : vars.textSecondary }}>
          {late ? t('timeline.late', { duration: usual }) : t('timeline.usuallyLong', { duration: usual })}
        </Box>
      )}
    </Box>
  )
}

const lineStyle = (status: ShownStep['status']) => ({
  position: 'relative',
  display: 'flex',
  gap: 3.5,
  ...inset,
  py: 2.25,
  // The line down to the next step.
  '&:not(:last-of-type)::before': {
    content: '""',
    position: 'absolute',
    left: { xs: 25.5, sm: 29.5 },
    top: 30,
    bottom: -8,
    width: '1.5px',
    bgcolor: status === 'SUCCEEDED' ? vars.readyBorder : vars.border,
  },
})
