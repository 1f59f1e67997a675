/**
 * The look of Storefleet's dashboard as a MUI theme: warm paper, ink, one bottle green; lines instead of shadows.
 * Colours live in `tokens` (light, dark) and nowhere else; components use `v.…`, which are CSS variables.
 */
import { createElement } from 'react'
import { createTheme } from '@mui/material/styles'
import SvgIcon, { type SvgIconProps } from '@mui/material/SvgIcon'
import type {} from '@mui/material/themeCssVarsAugmentation'

const light = {
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
  shadow: '0 1px 2px rgba(35, 32, 20, 0.05), 0 12px 32px -8px rgba(35, 32, 20, 0.18)',
}
type Tokens = typeof light
const dark: Tokens = {
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

/** The arrow of selects, in place of MUI's filled one. */
const Chevron = (props: SvgIconProps) =>
  createElement(
    SvgIcon,
    {
      ...props,
      sx: {
        fontSize: 16,
        fill: 'none',
        stroke: 'currentColor',
        strokeWidth: 1.75,
        strokeLinecap: 'round',
        strokeLinejoin: 'round',
      },
    },
    createElement('path', { d: 'm6 9 6 6 6-6' }),
  )

const scheme = (t: Tokens) => ({
  palette: {
    primary: { main: t.accent, dark: t.accentHover, contrastText: t.accentInk },
    secondary: { main: t.ink2, contrastText: t.surface },
    error: { main: t.badFg, contrastText: t.surface },
    warning: { main: t.warnFg, contrastText: t.surface },
    info: { main: t.busyFg, contrastText: t.surface },
    success: { main: t.readyFg, contrastText: t.surface },
    background: { default: t.canvas, paper: t.surface },
    text: { primary: t.ink, secondary: t.ink2, disabled: t.ink3 },
    divider: t.line,
    sf: t,
  },
})

declare module '@mui/material/styles' {
  interface Palette {
    sf: Tokens
  }
  interface PaletteOptions {
    sf?: Tokens
  }
  interface TypographyVariants {
    display: React.CSSProperties
    mono: React.CSSProperties
    label: React.CSSProperties
  }
  interface TypographyVariantsOptions {
    display?: React.CSSProperties
    mono?: React.CSSProperties
    label?: React.CSSProperties
  }
}
declare module '@mui/material/Typography' {
  interface TypographyPropsVariantOverrides {
    display: true
    mono: true
    label: true
    h4: false
    h5: false
    h6: false
    overline: false
    subtitle1: false
    subtitle2: false
  }
}
declare module '@mui/material/Button' {
  interface ButtonPropsColorOverrides {
    secondary: true
  }
}

export const theme = createTheme({
  cssVariables: { cssVarPrefix: 'sf', colorSchemeSelector: '[data-scheme="%s"]' },
  colorSchemes: { light: scheme(light), dark: scheme(dark) },
  spacing: 4,
  shape: { borderRadius: radius.control },
  breakpoints: { values: { xs: 0, sm: 600, md: 900, lg: 1200, xl: 1536 } },
  transitions: {
    easing: { easeOut: motion.ease, easeInOut: motion.ease, sharp: motion.ease },
    duration: {
      enteringScreen: motion.calm,
      leavingScreen: motion.quick,
      shortest: motion.quick,
      shorter: motion.quick,
      short: motion.calm,
      standard: motion.calm,
    },
  },
  typography: {
    fontFamily: sans,
    fontSize: 14,
    htmlFontSize: 16,
    display: { fontFamily: sans, fontSize: '1.75rem', lineHeight: 1.2, fontWeight: 600, letterSpacing: '-0.022em' },
    h1: { fontSize: '1.375rem', lineHeight: 1.25, fontWeight: 600, letterSpacing: '-0.016em' },
    h2: { fontSize: '1rem', lineHeight: 1.4, fontWeight: 600, letterSpacing: '-0.006em' },
    h3: { fontSize: '0.875rem', lineHeight: 1.4, fontWeight: 600 },
    body1: { fontSize: '0.875rem', lineHeight: 1.5 },
    body2: { fontSize: '0.8125rem', lineHeight: 1.5 },
    caption: { fontSize: '0.75rem', lineHeight: 1.4 },
    label: { fontFamily: sans, fontSize: '0.8125rem', lineHeight: 1.4, fontWeight: 550 },
    mono: { fontFamily: mono, fontSize: '0.78125rem', lineHeight: 1.5, fontVariantLigatures: 'none' },
    button: { fontSize: '0.8125rem', lineHeight: 1.4, fontWeight: 550, textTransform: 'none', letterSpacing: 0 },
  },
  components: {
    MuiCssBaseline: {
      styleOverrides: {
        html: { WebkitTextSizeAdjust: '100%', scrollbarGutter: 'stable' },
        body: { fontFeatureSettings: '"ss01" 0', textRendering: 'optimizeLegibility', overflowWrap: 'anywhere' },
        'h1, h2, h3': { textWrap: 'balance' },
        p: { textWrap: 'pretty' },
        a: { color: 'inherit', textUnderlineOffset: '0.2em', textDecorationThickness: '1px' },
        'a:focus-visible, button:focus-visible, [tabindex="0"]:focus-visible': { ...ring, borderRadius: 4 },
        '::selection': { background: v.accentSoft, color: v.ink },
        time: { fontVariantNumeric: 'tabular-nums' },
        '@media (prefers-reduced-motion: reduce)': {
          '*, ::before, ::after': {
            animationDuration: '1ms !important',
            animationIterationCount: '1 !important',
            transitionDuration: '1ms !important',
            scrollBehavior: 'auto !important',
          },
        },
      },
    },
    MuiButtonBase: {
      defaultProps: { disableRipple: true, disableTouchRipple: true },
      styleOverrides: { root: { fontFamily: sans, '&:focus-visible': ring } },
    },
    MuiButton: {
      defaultProps: { disableElevation: true, variant: 'outlined', color: 'secondary', size: 'medium' },
      styleOverrides: {
        root: {
          borderRadius: radius.control,
          minWidth: 0,
          whiteSpace: 'nowrap',
          transition: `background ${motion.quick}ms, border-color ${motion.quick}ms, color ${motion.quick}ms`,
          '& .MuiButton-startIcon': { marginLeft: -2, marginRight: 6, '& > svg:nth-of-type(1)': { fontSize: 16 } },
          '& .MuiButton-endIcon': {
            marginRight: -2,
            marginLeft: 6,
            '& > svg:nth-of-type(1)': { fontSize: 16 },
            '& > kbd:nth-of-type(1)': { fontSize: '0.6875rem' },
          },
          '&.Mui-disabled': { color: v.ink3, borderColor: v.line },
          '&:active': { transform: 'translateY(0.5px)' },
        },
        sizeSmall: { height: 28, padding: '0 10px' },
        sizeMedium: { height: 34, padding: '0 14px' },
        sizeLarge: { height: 44, padding: '0 20px', fontSize: '0.9375rem' },
        contained: { '&.Mui-disabled': { background: v.sunken, color: v.ink3 } },
        outlined: {
          borderColor: v.lineStrong,
          background: v.surface,
          color: v.ink,
          '&:hover': { background: v.sunken, borderColor: v.lineStrong },
          '&.MuiButton-colorError': { color: v.badFg, '&:hover': { background: v.badBg, borderColor: v.badLine } },
        },
        text: { color: v.ink2, '&:hover': { background: v.sunken, color: v.ink } },
      },
    },
    MuiIconButton: {
      styleOverrides: {
        root: {
          borderRadius: radius.control,
          width: 32,
          height: 32,
          padding: 0,
          color: v.ink2,
          '&:hover': { background: v.sunken, color: v.ink },
        },
        sizeSmall: { width: 28, height: 28 },
      },
    },
    MuiPaper: { defaultProps: { elevation: 0 }, styleOverrides: { root: { backgroundImage: 'none' } } },
    MuiOutlinedInput: {
      styleOverrides: {
        root: {
          background: v.surface,
          minHeight: 36,
          borderRadius: radius.control,
          fontSize: '0.875rem',
          '@media (max-width: 599px)': { fontSize: '1rem', minHeight: 44 }, // below 16 px iOS zooms in
          '& .MuiOutlinedInput-notchedOutline': { borderColor: v.edge, transition: `border-color ${motion.quick}ms` },
          '&:hover:not(.Mui-focused):not(.Mui-error) .MuiOutlinedInput-notchedOutline': { borderColor: v.ink2 },
          '&.Mui-focused .MuiOutlinedInput-notchedOutline': {
            borderWidth: 1,
            borderColor: v.accent,
            boxShadow: `0 0 0 3px ${v.accentSoft}`,
          },
          '&.Mui-error .MuiOutlinedInput-notchedOutline': { borderColor: v.badFg },
          '&.Mui-error.Mui-focused .MuiOutlinedInput-notchedOutline': { boxShadow: `0 0 0 3px ${v.badBg}` },
        },
        input: { padding: '7px 12px', height: 'auto', '&::placeholder': { color: v.ink3, opacity: 1 } },
      },
    },
    MuiSelect: {
      defaultProps: { IconComponent: Chevron },
      styleOverrides: { icon: { right: 10, color: v.ink2, transition: `transform ${motion.calm}ms` } },
    },
    MuiFormLabel: {
      styleOverrides: {
        root: {
          fontSize: '0.8125rem',
          fontWeight: 550,
          lineHeight: 1.4,
          color: v.ink,
          '&.Mui-focused, &.Mui-error': { color: v.ink },
        },
      },
    },
    MuiFormHelperText: {
      styleOverrides: {
        root: {
          margin: '6px 0 0',
          fontSize: '0.8125rem',
          lineHeight: 1.45,
          color: v.ink2,
          '&.Mui-error': { color: v.badFg },
        },
      },
    },
    MuiDialog: {
      styleOverrides: {
        paper: {
          borderRadius: radius.card,
          border: `1px solid ${v.line}`,
          boxShadow: v.shadow,
          background: v.surface,
          margin: 16,
          maxHeight: 'calc(100% - 32px)',
        },
        paperFullScreen: { borderRadius: 0, border: 0, margin: 0, maxHeight: '100%' },
      },
    },
    MuiDialogTitle: {
      styleOverrides: { root: { fontSize: '1rem', lineHeight: 1.4, fontWeight: 600, padding: '18px 24px' } },
    },
    MuiDialogContent: { styleOverrides: { root: { padding: '0 24px 24px' } } },
    MuiDialogActions: {
      styleOverrides: {
        root: {
          padding: '14px 24px',
          borderTop: `1px solid ${v.line}`,
          gap: 8,
          '& > :not(style) ~ :not(style)': { marginLeft: 0 },
        },
      },
    },
    MuiBackdrop: { styleOverrides: { root: { '&:not(.MuiBackdrop-invisible)': { background: v.scrim } } } },
    MuiMenu: {
      defaultProps: { transitionDuration: motion.quick },
      styleOverrides: {
        paper: {
          marginTop: 6,
          borderRadius: 10,
          background: v.raised,
          border: `1px solid ${v.line}`,
          boxShadow: v.shadow,
          minWidth: 200,
        },
        list: { padding: 4 },
      },
    },
    MuiMenuItem: {
      styleOverrides: {
        root: {
          minHeight: 34,
          padding: '5px 10px',
          borderRadius: 6,
          fontSize: '0.875rem',
          gap: 10,
          '@media (max-width: 599px)': { minHeight: 44 },
          '&:hover, &.Mui-focusVisible': { background: v.sunken },
          '&.Mui-selected, &.Mui-selected:hover': { background: v.accentSoft },
          '&.Mui-focusVisible': { ...ring, outlineOffset: -2 },
        },
      },
    },
    MuiAutocomplete: {
      defaultProps: { popupIcon: createElement(Chevron) },
      styleOverrides: {
        paper: {
          marginTop: 6,
          borderRadius: 10,
          background: v.raised,
          border: `1px solid ${v.line}`,
          boxShadow: v.shadow,
          fontSize: '0.875rem',
        },
        listbox: { padding: 4 },
        option: {
          borderRadius: 6,
          minHeight: '34px !important',
          padding: '5px 10px !important',
          '&.Mui-focused': { background: `${v.sunken} !important` },
          '&[aria-selected="true"]': { background: `${v.accentSoft} !important` },
        },
      },
    },
    MuiTooltip: {
      defaultProps: { enterDelay: 400, enterNextDelay: 100, arrow: false, disableInteractive: true },
      styleOverrides: {
        tooltip: {
          background: v.ink,
          color: v.canvas,
          fontSize: '0.75rem',
          fontWeight: 500,
          lineHeight: 1.4,
          padding: '5px 9px',
          borderRadius: 6,
          maxWidth: 280,
        },
      },
    },
    MuiTabs: {
      styleOverrides: {
        root: { minHeight: 40 },
        indicator: {
          height: 2,
          background: v.accent,
          borderRadius: '2px 2px 0 0',
          transition: `all ${motion.calm}ms ${motion.ease}`,
        },
        list: { gap: 20 },
      },
    },
    MuiTab: {
      styleOverrides: {
        root: {
          minHeight: 40,
          minWidth: 0,
          padding: '0 1px',
          fontSize: '0.875rem',
          fontWeight: 500,
          color: v.ink2,
          gap: 6,
          '&:hover': { color: v.ink },
          '&.Mui-selected': { color: v.ink },
          '&.Mui-focusVisible': { ...ring, outlineOffset: -2, borderRadius: 4 },
        },
      },
    },
    MuiSwitch: {
      styleOverrides: {
        root: { width: 36, height: 20, padding: 0 },
        switchBase: {
          padding: 2,
          '&.Mui-checked': {
            transform: 'translateX(16px)',
            color: v.accentInk,
            '& + .MuiSwitch-track': { background: v.accent, opacity: 1 },
          },
          '&.Mui-focusVisible + .MuiSwitch-track': ring,
        },
        thumb: { width: 16, height: 16, boxShadow: 'none', background: 'currentColor' },
        track: { borderRadius: 10, background: v.edge, opacity: 1 },
      },
    },
    MuiCheckbox: { styleOverrides: { root: { padding: 4, color: v.edge } } },
    MuiRadio: { styleOverrides: { root: { padding: 4, color: v.edge } } },
    MuiTableCell: {
      styleOverrides: {
        root: { borderColor: v.line, padding: '0 12px', fontSize: '0.875rem' },
        head: { fontSize: '0.75rem', fontWeight: 500, color: v.ink3, height: 36, background: 'transparent' },
      },
    },
    MuiSnackbarContent: {
      styleOverrides: {
        root: {
          background: v.ink,
          color: v.canvas,
          borderRadius: 10,
          fontSize: '0.875rem',
          padding: '4px 8px 4px 16px',
          boxShadow: v.shadow,
          minWidth: 0,
        },
      },
    },
    MuiSkeleton: {
      defaultProps: { animation: false },
      styleOverrides: { root: { background: v.sunken, borderRadius: 6 } },
    },
    MuiDivider: { styleOverrides: { root: { borderColor: v.line } } },
    MuiLink: { defaultProps: { underline: 'hover', color: 'inherit' } },
  },
})
