/** Colours (light, dark), fonts, motion and corners. Components use `vars.…`, which are CSS variables. */
export const light = {
  background: '#f7f6f2', // behind everything
  surface: '#ffffff', // cards, rows, dialogs
  raised: '#ffffff', // menus, palette
  surfaceSunken: '#f0eee8', // wells, hover, code
  border: '#e5e2d9', // between things
  borderStrong: '#d2cec2', // around buttons and cards that can be chosen
  inputBorder: '#8f918a', // around inputs: 3:1
  text: '#1a201d',
  textSecondary: '#4f5852', // of less weight
  textTertiary: '#616963', // of least weight: still 4.5:1 on surfaceSunken and accentSoft
  accent: '#1b6a5d',
  accentHover: '#145347',
  accentText: '#ffffff',
  accentSoft: '#e2eeea',
  readyFg: '#14694b',
  readyBg: '#e3f1e9',
  readyBorder: '#b9dbca',
  busyFg: '#2858a6',
  busyBg: '#e8eff9',
  busyBorder: '#c1d3ef',
  warnFg: '#82500a',
  warnBg: '#faf0dd',
  warnBorder: '#ead1a2',
  badFg: '#a8322a',
  badBg: '#fbebe8',
  badBorder: '#efc3bc',
  idleFg: '#59615b',
  idleBg: '#efede7',
  idleBorder: '#d7d3c8',
  stripe: '#1b6a5d',
  stripePale: '#cfe2db',
  receipt: '#fffdf6',
  receiptText: '#25241f',
  receiptTextSecondary: '#6b685d',
  receiptStamp: '#a8322a',
  terminal: '#161b19',
  terminalText: '#d9ddd7',
  terminalTextSecondary: '#8f9a93',
  terminalBorder: '#2a312d',
  terminalWarn: '#e3b568',
  terminalBad: '#f29d92',
  terminalLive: '#70cb9e',
  terminalAccent: '#6fc7b1',
  backdrop: 'rgba(26, 32, 29, 0.38)',
  backgroundDimmed: '#a3a4a1', // canvas under the scrim
  shadow: '0 1px 2px rgba(35, 32, 20, 0.05), 0 12px 32px -8px rgba(35, 32, 20, 0.18)',
}
export type Tokens = typeof light
export const dark: Tokens = {
  background: '#101413',
  surface: '#171c1a',
  raised: '#1e2422',
  surfaceSunken: '#0c100f',
  border: '#272e2b',
  borderStrong: '#39413d',
  inputBorder: '#6a736e',
  text: '#ecebe4',
  textSecondary: '#aeb5af',
  textTertiary: '#8f9892',
  accent: '#6fc7b1',
  accentHover: '#8ad8c4',
  accentText: '#06241d',
  accentSoft: '#17302a',
  readyFg: '#70cb9e',
  readyBg: '#14291f',
  readyBorder: '#244a3a',
  busyFg: '#93b8f6',
  busyBg: '#17233a',
  busyBorder: '#2c4268',
  warnFg: '#e3b568',
  warnBg: '#2b2415',
  warnBorder: '#4f4122',
  badFg: '#f29d92',
  badBg: '#311d1a',
  badBorder: '#5c332d',
  idleFg: '#a3aba5',
  idleBg: '#222826',
  idleBorder: '#363e3a',
  stripe: '#4fa893',
  stripePale: '#21443b',
  receipt: '#e4dfd2',
  receiptText: '#25241f',
  receiptTextSecondary: '#5f5c51',
  receiptStamp: '#8a1f18',
  terminal: '#0a0e0c',
  terminalText: '#d3d8d2',
  terminalTextSecondary: '#87928b',
  terminalBorder: '#222926',
  terminalWarn: '#e3b568',
  terminalBad: '#f29d92',
  terminalLive: '#70cb9e',
  terminalAccent: '#6fc7b1',
  backdrop: 'rgba(3, 5, 4, 0.62)',
  backgroundDimmed: '#080a09',
  shadow: '0 0 0 1px rgba(255, 255, 255, 0.02), 0 16px 40px -8px rgba(0, 0, 0, 0.7)',
}

/** Each token as a CSS variable: `vars.text` is `var(--sf-palette-sf-text)`. */
export const vars = Object.fromEntries(
  Object.keys(light).map((name) => [name, `var(--sf-palette-sf-${name})`]),
) as Tokens

export const sans = '"Hanken Grotesk Variable", system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif'
export const mono = '"Geist Mono Variable", ui-monospace, "SF Mono", Menlo, Consolas, monospace'

/** Motion. Nothing that moves takes longer than `slow`; with reduced motion only opacity changes (see MuiCssBaseline). */
export const motion = { quick: 120, calm: 180, slow: 320, ease: 'cubic-bezier(0.2, 0, 0, 1)' }
/** Corners: 4 tags, 8 controls, 12 cards and dialogs. */
export const radius = { tag: 4, control: 8, card: 12 }
export const ring = { outline: `2px solid ${vars.accent}`, outlineOffset: 2 }
