import { vars } from '@/shared/tokens'

const gutter = { maxWidth: 1216, mx: 'auto', px: { xs: 4, sm: 6 } } as const

export const barOuter = {
  position: 'sticky',
  top: 0,
  zIndex: 20,
  bgcolor: `color-mix(in srgb, ${vars.background} 88%, transparent)`,
  backdropFilter: 'saturate(1.4) blur(10px)',
  borderBottom: `1px solid ${vars.border}`,
} as const
export const barInner = { ...gutter, height: 56, display: 'flex', alignItems: 'center', gap: 6 } as const
export const page = {
  ...gutter,
  flex: 1,
  width: '100%',
  pt: { xs: 5, sm: 8 },
  pb: 16,
  outline: 'none',
} as const
