import { Box, keyframes } from '@mui/material'
import { memo } from 'react'
import { Link } from 'react-router'
import { clamp, ellipsis, visuallyHidden } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { ChevronRight } from '@/shared/icons'
import { ring, v } from '@/shared/tokens'
import { Ago } from '@/shared/time'
import type { Engine, Store } from './documents'
import { StoreGlyph } from './Glyph'
import { StoreAction } from './StoreAction'
import { StoreSummary } from './StoreSummary'
import { DISPLAY, TONES, addressOf, displayState } from './state'

const tint = keyframes`from { opacity: 0.14 } to { opacity: 0 }`
/** A veil whose opacity changes: unlike a colour, it isn't painted again in each frame. */
const tinted = {
  '&::after': {
    content: '""',
    position: 'absolute',
    inset: 0,
    pointerEvents: 'none',
    bgcolor: v.accent,
    opacity: 0,
    animation: `${tint} 1.4s`,
  },
}
/** Rows out of sight are neither laid out nor painted. */
const skipped = (height: number) => ({ contentVisibility: 'auto', containIntrinsicSize: `auto ${height}px` })
const cell = { px: 3, fontSize: '0.8125rem', color: v.ink2, minWidth: 0 }
export const COLUMNS = '26% minmax(0, 1fr) 132px 104px 132px'

/** The link covers its whole row. */
const rowLink = {
  display: 'block',
  color: v.ink,
  fontWeight: 550,
  textDecoration: 'none',
  ...ellipsis,
  '&::after': { content: '""', position: 'absolute', inset: 0 },
  '&:focus-visible': { outline: 'none', '&::after': { ...ring, outlineOffset: -2, borderRadius: '4px' } },
}

interface RowProps {
  store: Store
  engine: Engine | undefined
  planTitle: string
  selected: boolean
  changed: boolean
}

/** A row of the table. */
export const StoreRow = memo(function StoreRow({ store, engine, planTitle, selected, changed }: RowProps) {
  const state = displayState(store)
  const { tone, group } = DISPLAY[state]
  const showsAction = store.status === 'FAILED' || store.status === 'READY'
  return (
    <Box
      component="tr"
      role="row"
      id={`row-${store.id}`}
      data-store={store.slug}
      data-state={state}
      sx={{
        position: 'relative',
        display: 'grid',
        gridTemplateColumns: COLUMNS,
        alignItems: 'center',
        minHeight: 61,
        ...skipped(61),
        borderTop: `1px solid ${v.line}`,
        '&:hover': { bgcolor: `color-mix(in srgb, ${v.sunken} 55%, transparent)` },
        ...(selected && { '&, &:hover': { bgcolor: v.accentSoft, boxShadow: `inset 2px 0 ${v.accent}` } }),
        ...(changed && tinted),
      }}
    >
      <Box component="td" role="cell" sx={{ ...cell, pl: 5 }}>
        <Box sx={{ display: 'flex', alignItems: 'center', gap: 3.5 }}>
          <Box component="span" title={t(`state.${state}`)} sx={{ display: 'flex', position: 'relative', zIndex: 1 }}>
            <StoreGlyph store={store} size={18} />
          </Box>
          <Box sx={{ minWidth: 0 }}>
            <Box component={Link} to={`/stores/${store.slug}`} sx={{ ...rowLink, fontSize: '0.875rem' }}>
              {store.name}
            </Box>
            <Box sx={{ color: v.ink3, ...ellipsis }}>{addressOf(store)}</Box>
          </Box>
        </Box>
      </Box>
      <Box component="td" role="cell" sx={cell}>
        <Box sx={group === 'attention' ? { ...clamp(2), textWrap: 'pretty' } : { display: 'flex', ...ellipsis }}>
          <StateWord state={state} hidden={tone === 'busy' || state === 'ready'} />
          <StoreSummary store={store} engine={engine} />
        </Box>
      </Box>
      <Box component="td" role="cell" sx={cell}>
        {engine?.title}
        <Box sx={{ color: v.ink3 }}>{planTitle}</Box>
      </Box>
      <Box component="td" role="cell" sx={{ ...cell, color: v.ink3, whiteSpace: 'nowrap' }}>
        <Ago at={store.createdAt} />
      </Box>
      <Box component="td" role="cell" sx={{ ...cell, pr: 4, textAlign: 'end' }}>
        <StoreAction store={store} />
        {!showsAction && <ChevronRight sx={{ color: v.ink3, mr: 0.5, verticalAlign: 'middle', ...mirrored }} />}
      </Box>
    </Box>
  )
})

const mirrored = { '[dir="rtl"] &': { transform: 'scaleX(-1)' } }

function StateWord({ state, hidden }: { state: ReturnType<typeof displayState>; hidden: boolean }) {
  return (
    <Box
      component="span"
      sx={{ color: TONES[DISPLAY[state].tone].fg, fontWeight: 550, mr: 2, ...(hidden ? visuallyHidden : {}) }}
    >
      {t(`state.${state}`)}
    </Box>
  )
}

/** A store in the list of narrow screens. */
export const StoreCard = memo(function StoreCard({ store, engine, changed }: Omit<RowProps, 'planTitle' | 'selected'>) {
  const state = displayState(store)
  const { tone } = DISPLAY[state]
  return (
    <Box
      component="li"
      data-store={store.slug}
      data-state={state}
      sx={{
        position: 'relative',
        display: 'flex',
        gap: 3,
        px: 4,
        py: 3.5,
        '& + &': { borderTop: `1px solid ${v.line}` },
        ...skipped(72),
        '&:active': { bgcolor: v.sunken },
        ...(changed && tinted),
      }}
    >
      <Box sx={{ pt: 0.5 }}>
        <StoreGlyph store={store} size={18} />
      </Box>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ display: 'flex', gap: 2, alignItems: 'baseline' }}>
          <Box component={Link} to={`/stores/${store.slug}`} sx={{ ...rowLink, flex: 1, fontSize: '0.9375rem' }}>
            {store.name}
          </Box>
          <Box component="span" sx={{ color: v.ink3, fontSize: '0.75rem', flex: 'none' }}>
            <Ago at={store.createdAt} />
          </Box>
        </Box>
        <Box sx={{ color: v.ink3, fontSize: '0.8125rem', ...ellipsis }}>{addressOf(store)}</Box>
        {state !== 'ready' && (
          <Box sx={{ mt: 1.5, fontSize: '0.8125rem', color: v.ink2, ...(tone === 'busy' ? {} : clamp(3)) }}>
            <StateWord state={state} hidden={tone === 'busy'} />
            <StoreSummary store={store} engine={engine} />
          </Box>
        )}
      </Box>
      <StoreAction store={store} compact />
    </Box>
  )
})
