/** Colours (light, dark), fonts, motion and corners. Components use `v.…`, which are CSS variables. */
export const light = {
  canvas: '#f7f6f2', // behind everything
  surface: '#ffffff', // cards, rows, dialogs
  raised: '#ffffff', // menus, palette
  sunken: '#f0eee8', // wells, hover, code
  line: '#e5e2d9', // between things
  lineStrong: '#d2cec2', // around buttons and cards that can be chosen
  edge: '#8f918a', // around inputs: 3:1
  ink: '#1a201d',
  ink2: '#4f5852', // second voice
  ink3: '#616963', // third voice: still 4.5:1 on sunken and accentSoft
  accent: '#1b6a5d',
  accentHover: '#145347',
  accentInk: '#ffffff',
  accentSoft: '#e2eeea',
  readyFg: '#14694b',
  readyBg: '#e3f1e9',
  readyLine: '#b9dbca',
  busyFg: '#2858a6',
  busyBg: '#e8eff9',
  busyLine: '#c1d3ef',
  warnFg: '#82500a',
  warnBg: '#faf0dd',
  warnLine: '#ead1a2',
  badFg: '#a8322a',
  badBg: '#fbebe8',
  badLine: '#efc3bc',
  idleFg: '#59615b',
  idleBg: '#efede7',
  idleLine: '#d7d3c8',
  awning: '#1b6a5d',
  awningPale: '#cfe2db',
  slip: '#fffdf6',
  slipInk: '#25241f',
  slipSoft: '#6b685d',
  stamp: '#a8322a',
  term: '#161b19',
  termInk: '#d9ddd7',
  termSoft: '#8f9a93',
  termLine: '#2a312d',
  termWarn: '#e3b568',
  termBad: '#f29d92',
  termLive: '#70cb9e',
  termAccent: '#6fc7b1',
  scrim: 'rgba(26, 32, 29, 0.38)',
  dimmed: '#a3a4a1', // canvas under the scrim
  shadow: '0 1px 2px rgba(35, 32, 20, 0.05), 0 12px 32px -8px rgba(35, 32, 20, 0.18)',
}
export type Tokens = typeof light
export const dark: Tokens = {
  canvas: '#101413',
  surface: '#171c1a',
  raised: '#1e2422',
  sunken: '#0c100f',
  line: '#272e2b',
  lineStrong: '#39413d',
  edge: '#6a736e',
  ink: '#ecebe4',
  ink2: '#aeb5af',
  ink3: '#8f9892',
  accent: '#6fc7b1',
  accentHover: '#8ad8c4',
  accentInk: '#06241d',
  accentSoft: '#17302a',
  readyFg: '#70cb9e',
  readyBg: '#14291f',
  readyLine: '#244a3a',
  busyFg: '#93b8f6',
  busyBg: '#17233a',
  busyLine: '#2c4268',
  warnFg: '#e3b568',
  warnBg: '#2b2415',
  warnLine: '#4f4122',
  badFg: '#f29d92',
  badBg: '#311d1a',
  badLine: '#5c332d',
  idleFg: '#a3aba5',
  idleBg: '#222826',
  idleLine: '#363e3a',
  awning: '#4fa893',
  awningPale: '#21443b',
  slip: '#e4dfd2',
  slipInk: '#25241f',
  slipSoft: '#5f5c51',
  stamp: '#8a1f18',
  term: '#0a0e0c',
  termInk: '#d3d8d2',
  termSoft: '#87928b',
  termLine: '#222926',
  termWarn: '#e3b568',
  termBad: '#f29d92',
  termLive: '#70cb9e',
  termAccent: '#6fc7b1',
  scrim: 'rgba(3, 5, 4, 0.62)',
  dimmed: '#080a09',
  shadow: '0 0 0 1px rgba(255, 255, 255, 0.02), 0 16px 40px -8px rgba(0, 0, 0, 0.7)',
}

/** Each token as a CSS variable: `v.ink` is `var(--sf-palette-sf-ink)`. */
export const v = Object.fromEntries(Object.keys(light).map((name) => [name, `var(--sf-palette-sf-${name})`])) as Tokens

export const sans = '"Hanken Grotesk Variable", system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif'
export const mono = '"Geist Mono Variable", ui-monospace, "SF Mono", Menlo, Consolas, monospace'

/** Motion. Nothing that moves takes longer than `slow`; with reduced motion only opacity changes (see MuiCssBaseline). */
export const motion = { quick: 120, calm: 180, slow: 320, ease: 'cubic-bezier(0.2, 0, 0, 1)' }
/** Corners: 4 tags, 8 controls, 12 cards and dialogs. */
export const radius = { tag: 4, control: 8, card: 12 }
export const ring = { outline: `2px solid ${v.accent}`, outlineOffset: 2 }
