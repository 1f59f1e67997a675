import { Box, ButtonBase, IconButton } from '@mui/material'
import { useLayoutEffect, useRef, useState } from 'react'
import { CopyButton } from '@/shared/components/CopyButton'
import { tabular } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { ArrowDown, Wrap } from '@/shared/icons'
import { mono, ring, vars } from '@/shared/tokens'
import { useNow } from '@/shared/time'
import { LogLine } from './LogLine'
import type { NumberedLine } from './useLogs'

const FOLLOWED_SECONDS = 900

interface LogViewProps {
  component: string
  lines: NumberedLine[]
  filter: string
  startedAt: number
  state: 'following' | 'paused' | 'ended'
  error: string | undefined
  onPause: () => void
  onResume: () => void
}

/** The lines, dark in both schemes. It stays at the last line until somebody scrolls up. */
export function LogView({ component, lines, filter, startedAt, state, error, onPause, onResume }: LogViewProps) {
  const [wrap, setWrap] = useState(() => innerWidth < 600)
  const box = useRef<HTMLDivElement>(null)
  const following = state === 'following'
  useLayoutEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [lines, following, wrap])
  const pauseWhenScrolledUp = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current ?? document.body
    if (following && scrollHeight - scrollTop - clientHeight > 48) onPause()
  }
  return (
    <Box sx={frame}>
      <Box sx={head}>
        <Box
          component="span"
          aria-hidden
          sx={{ ...dot, bgcolor: following ? vars.terminalLive : vars.terminalTextSecondary }}
        />
        <Box component="span" sx={{ color: vars.terminalText, fontWeight: 500 }}>
          {component}
        </Box>
        {following ? <TimeLeft startedAt={startedAt} /> : <span>{t(`logs.${state}`)}</span>}
        <Box sx={{ ml: 'auto', mr: -2, display: 'flex', gap: 1, '& button': tool }}>
          <CopyButton text={lines.map(({ line }) => line).join('\n')} label={t('logs.copy')} />
          <IconButton
            size="small"
            aria-label={t('logs.wrap')}
            title={t('logs.wrap')}
            aria-pressed={wrap}
            onClick={() => setWrap(!wrap)}
            sx={wrap ? { '&&': { color: vars.terminalText, bgcolor: vars.terminalBorder } } : {}}
          >
            <Wrap sx={{ fontSize: 15 }} />
          </IconButton>
        </Box>
      </Box>
      <Box
        ref={box}
        tabIndex={0}
        role="log"
        aria-live="off"
        dir="ltr"
        aria-label={t('logs.label', { component })}
        onScroll={pauseWhenScrolledUp}
        sx={scroller}
      >
        {lines.length === 0 && !error && (
          <Box sx={{ px: 4, color: vars.terminalTextSecondary }}>
            {filter ? t('logs.noMatch', { filter }) : t('logs.empty')}
          </Box>
        )}
        {lines.map((line) => (
          <LogLine key={line.number} line={line} wrap={wrap} filter={filter} />
        ))}
        {error && <Box sx={{ px: 4, pt: 2, color: vars.terminalWarn }}>{error}</Box>}
      </Box>
      {state === 'paused' && (
        <ButtonBase onClick={onResume} sx={toLatest}>
          <ArrowDown />
          {t('logs.toLatest')}
        </ButtonBase>
      )}
    </Box>
  )
}

function TimeLeft({ startedAt }: { startedAt: number }) {
  const now = useNow(1000)
  const left = Math.max(0, FOLLOWED_SECONDS - Math.floor((now - startedAt) / 1000))
  const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
  return (
    <Box component="span" sx={tabular}>
      {t('logs.following', { time })}
    </Box>
  )
}

const focusRing = { ...ring, outlineColor: vars.terminalAccent }
const frame = {
  position: 'relative',
  bgcolor: vars.terminal,
  color: vars.terminalText,
  borderRadius: '12px',
  border: `1px solid ${vars.terminalBorder}`,
  overflow: 'hidden',
}
const head = {
  display: 'flex',
  alignItems: 'center',
  gap: 2.5,
  height: 40,
  px: 4,
  borderBottom: `1px solid ${vars.terminalBorder}`,
  fontSize: '0.75rem',
  color: vars.terminalTextSecondary,
}
const dot = { width: 8, height: 8, borderRadius: '50%' }
const tool = {
  color: vars.terminalTextSecondary,
  '&:hover': { color: vars.terminalText, bgcolor: vars.terminalBorder },
  '&:focus-visible': focusRing,
}
const scroller = {
  height: { xs: '52vh', sm: 480 },
  overflow: 'auto',
  py: 2,
  fontFamily: mono,
  fontSize: '0.75rem',
  lineHeight: 1.65,
  scrollbarColor: `${vars.terminalTextSecondary} transparent`,
  '&:focus-visible': { ...focusRing, outlineOffset: -3, borderRadius: '8px' },
}
const toLatest = {
  position: 'absolute',
  bottom: 16,
  left: '50%',
  transform: 'translateX(-50%)',
  height: { xs: 40, sm: 32 },
  px: 3,
  gap: 1.5,
  borderRadius: '20px',
  bgcolor: vars.terminalText,
  color: vars.terminal,
  fontSize: '0.8125rem',
  fontWeight: 550,
}
