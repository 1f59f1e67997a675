import { Box, keyframes } from '@mui/material'
import { Logo } from '@/shared/brand/Logo'
import { t } from '@/shared/i18n'
import { mono, motion, vars } from '@/shared/tokens'
import { formatClock, formatDay } from '@/shared/time'
import { addressOf } from '@/features/stores/state'
import type { StoreDetail } from './documents'

const print = keyframes`
  from { clip-path: inset(0 -20px 100% -20px); transform: translateY(-10px) }
  to { clip-path: inset(0 -20px -30px -20px); transform: none }
`
const TEETH = 'conic-gradient(from -45deg at bottom, #0000, #000 1deg 89deg, #0000 90deg) 50% / 11px 100%'
const BARS_WIDTH = 200

/** Bars whose widths come from the id: a drawing, not a code to be scanned. */
function barsOf(id: string) {
  const bars: { x: number; width: number }[] = []
  let x = 0
  for (let i = 0; x < BARS_WIDTH - 4; i++) {
    const n = (id.charCodeAt(i % id.length) * (i + 7)) % 5
    const width = 1 + (n % 3)
    bars.push({ x, width })
    x += width + 1.5 + ((n * 7) % 3)
  }
  return bars
}

const Divider = () => <Box sx={{ borderTop: '1px dashed currentColor', opacity: 0.35, my: 2.5 }} />

/** Where the receipt will be. */
export function ReceiptPlaceholder() {
  return <Box sx={placeholder}>{t('receipt.none')}</Box>
}

interface ReceiptProps {
  store: StoreDetail
  receipt: NonNullable<StoreDetail['receipt']>
  /** Prints it downwards, once. */
  fresh: boolean
}

/** The receipt of the synthetic purchase, as a till prints it. */
export function Receipt({ store, receipt, fresh }: ReceiptProps) {
  return (
    <Box
      component="section"
      aria-label={t('receipt.title')}
      sx={{
        width: 272,
        maxWidth: '100%',
        mx: 'auto',
        filter: `drop-shadow(0 1px 0 ${vars.border}) drop-shadow(0 6px 14px rgba(30, 28, 18, 0.14))`,
        ...(fresh ? { animation: `${print} 700ms ${motion.ease} both` } : {}),
      }}
    >
      <Box sx={paper}>
        <Box sx={header}>
          <Logo size={30} />
          <Box sx={{ mt: 2, fontWeight: 600, fontSize: '0.8125rem', lineHeight: 1.35 }}>{store.name}</Box>
          <Box sx={{ color: vars.receiptTextSecondary }}>{addressOf(store)}</Box>
        </Box>
        <Divider />
        {store.readyAt && (
          <Box sx={{ display: 'flex', justifyContent: 'space-between', color: vars.receiptTextSecondary }}>
            <span>{formatDay(store.readyAt)}</span>
            <span>{formatClock(store.readyAt)}</span>
          </Box>
        )}
        <Divider />
        <Box component="dl" sx={{ m: 0 }}>
          {receipt.steps.map(({ name, ms }) => (
            <Box key={name} sx={{ display: 'flex', alignItems: 'baseline', gap: 1.5 }}>
              <dt>{name}</dt>
              <Box component="dd" sx={{ m: 0, flex: 1, display: 'flex', alignItems: 'baseline', gap: 1.5 }}>
                <Box aria-hidden component="span" sx={leader} />
                {t('time.ms', { n: ms })}
              </Box>
            </Box>
          ))}
          <Box sx={total}>
            <dt>{t('receipt.total')}</dt>
            <Box component="dd" sx={{ m: 0 }}>
              {t('time.ms', { n: receipt.totalMs })}
            </Box>
          </Box>
        </Box>
        <Divider />
        <Box sx={{ textAlign: 'center', color: vars.receiptTextSecondary, textWrap: 'balance' }}>
          {receipt.simulated ? t('simulated.text') : t('receipt.text')}
        </Box>
        <Bars id={store.id} />
        {receipt.simulated && <Box sx={stamp}>{t('simulated')}</Box>}
      </Box>
    </Box>
  )
}

function Bars({ id }: { id: string }) {
  return (
    <Box
      component="svg"
      aria-hidden
      viewBox={`0 0 ${BARS_WIDTH} 30`}
      preserveAspectRatio="none"
      sx={{ display: 'block', width: '100%', height: 30, mt: 4 }}
    >
      {barsOf(id).map(({ x, width }) => (
        <rect key={x} x={x} width={width} height="30" fill="currentColor" />
      ))}
    </Box>
  )
}

const placeholder = {
  width: 272,
  maxWidth: '100%',
  mx: 'auto',
  borderRadius: '6px',
  border: `1.5px dashed ${vars.borderStrong}`,
  px: 6,
  py: 7,
  textAlign: 'center',
  color: vars.textSecondary,
  fontSize: '0.8125rem',
  textWrap: 'balance',
} as const
const paper = {
  position: 'relative',
  bgcolor: vars.receipt,
  color: vars.receiptText,
  fontFamily: mono,
  fontSize: '0.75rem',
  lineHeight: 1.55,
  px: 5,
  pt: 6,
  pb: 7,
  mask: `linear-gradient(#000 0 0) 0 0 / 100% calc(100% - 6px) no-repeat, ${TEETH}`,
} as const
const header = {
  display: 'grid',
  justifyItems: 'center',
  textAlign: 'center',
  gap: 0.5,
  '& svg': { fill: vars.receiptText, color: vars.receiptText },
} as const
const leader = { flex: 1, borderBottom: '1px dotted currentColor', opacity: 0.4, transform: 'translateY(-3px)' }
const total = {
  display: 'flex',
  justifyContent: 'space-between',
  mt: 2,
  pt: 2,
  borderTop: '2px solid currentColor',
  fontSize: '0.9375rem',
  fontWeight: 650,
}
const stamp = {
  position: 'absolute',
  top: '44%',
  left: '50%',
  transform: 'translate(-50%, -50%) rotate(-14deg)',
  border: '2px solid currentColor',
  color: vars.receiptStamp,
  borderRadius: '6px',
  px: 3,
  py: 0.5,
  fontSize: '1.125rem',
  fontWeight: 700,
  letterSpacing: '0.08em',
  whiteSpace: 'nowrap',
  opacity: 0.85,
}
