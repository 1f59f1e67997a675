import { vars } from '@/shared/tokens'

/** Seen by screen readers only. */
export const visuallyHidden = {
  position: 'absolute',
  width: '1px',
  height: '1px',
  overflow: 'hidden',
  clipPath: 'inset(50%)',
  whiteSpace: 'nowrap',
} as const

export const ellipsis = { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap', minWidth: 0 } as const

export const tabular = { fontVariantNumeric: 'tabular-nums' } as const

export const plainList = { listStyle: 'none', m: 0, p: 0 } as const

/** The gutter of cards. */
export const inset = { px: { xs: 4, sm: 5 } } as const

/** A line of a list in a card. */
export const row = {
  display: 'flex',
  alignItems: 'center',
  gap: 3,
  ...inset,
  py: 3,
  '& + &': { borderTop: `1px solid ${vars.border}` },
} as const

/** The second voice: below a name, beside a switch. */
export const muted = { fontSize: '0.8125rem', color: vars.textSecondary } as const
