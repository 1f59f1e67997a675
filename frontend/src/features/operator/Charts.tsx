import { Box } from '@mui/material'
import { inset, plainList, tabular } from '@/shared/components/styles'
import { apiText, t } from '@/shared/i18n'
import { duration } from '@/shared/time'
import { vars } from '@/shared/tokens'
import { useEngines } from '@/features/stores/useEngines'
import { DISPLAY, TONES, type DisplayState } from '@/features/stores/state'
import type { EngineTimes, StatusCount } from './documents'
import { statusBars, stepBars, type Bar } from './figures'

const WIDTH = 400
/** A part that is shorter can't be seen. */
const LEAST = 2
const PARTS = [vars.stripe, vars.stripePale]

/** One bar of parts. The words and numbers beside it say the same, so it is hidden from screen readers. */
function Bars({ bars }: { bars: (Bar & { colour: string })[] }) {
  return (
    <Box
      component="svg"
      aria-hidden
      viewBox={`0 0 ${WIDTH} 12`}
      preserveAspectRatio="none"
      sx={{ display: 'block', width: '100%', height: 12, bgcolor: vars.surfaceSunken, borderRadius: '3px' }}
    >
      {bars.map(({ from, size, colour }, i) => (
        <rect key={i} x={from * WIDTH} width={Math.max(LEAST, size * WIDTH - 1)} height="12" fill={colour} />
      ))}
    </Box>
  )
}

/** How many stores have each status. */
export function StatusChart({ counts }: { counts: StatusCount[] }) {
  const shown = statusBars(counts)
  if (shown.length === 0) return <Box sx={{ ...inset, py: 4, color: vars.textSecondary }}>{t('operator.noStores')}</Box>
  return (
    <Box component="ul" sx={{ ...plainList, ...inset, py: 3 }}>
      {shown.map(({ status, stores, bar }) => {
        const state = status.toLowerCase() as DisplayState
        return (
          <Box
            component="li"
            key={status}
            sx={{
              display: 'grid',
              gridTemplateColumns: '8rem 1fr 3.5rem',
              alignItems: 'center',
              gap: 3,
              minHeight: 28,
            }}
          >
            <span>{t(`state.${state}`)}</span>
            <Bars bars={[{ ...bar, colour: TONES[DISPLAY[state].tone].fg }]} />
            <Box component="span" sx={{ textAlign: 'end', ...tabular }}>
              {stores}
            </Box>
          </Box>
        )
      })}
    </Box>
  )
}

/** How long stores of an engine take to READY, and which step how much of it. */
export function ReadyChart({ times }: { times: EngineTimes }) {
  const engine = useEngines().engineOf(times.engine)
  const title = (name: string) => apiText(engine?.steps.find((step) => step.name === name)?.title ?? name)
  const bars = stepBars(times)
  return (
    <Box sx={{ ...inset, py: 4, '& + &': { borderTop: `1px solid ${vars.border}` } }}>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'baseline', columnGap: 3, mb: 2 }}>
        <Box component="span" sx={{ fontWeight: 550, flex: 1 }}>
          {engine?.title ?? times.engine}
        </Box>
        <Box component="span" sx={{ fontSize: '0.8125rem', color: vars.textSecondary, ...tabular }}>
          {t('operator.usually', {
            count: times.stores,
            median: duration(times.medianMs),
            p95: duration(times.p95Ms),
          })}
        </Box>
      </Box>
      <Bars bars={bars.map(({ bar }, i) => ({ ...bar, colour: PARTS[i % 2] ?? vars.stripe }))} />
      <Box component="ol" sx={{ ...plainList, mt: 3, fontSize: '0.8125rem' }}>
        {bars.map(({ name, medianMs, p95Ms }, i) => (
          <Box component="li" key={name} sx={{ display: 'flex', alignItems: 'center', gap: 2, minHeight: 24 }}>
            <Box aria-hidden sx={{ width: 10, height: 10, borderRadius: '2px', bgcolor: PARTS[i % 2] }} />
            <Box component="span" sx={{ flex: 1 }}>
              {title(name)}
            </Box>
            <Box component="span" sx={{ color: vars.textSecondary, ...tabular }}>
              {t('operator.stepTimes', { median: duration(medianMs), p95: duration(p95Ms) })}
            </Box>
          </Box>
        ))}
      </Box>
    </Box>
  )
}
