/** The look of Storefleet's dashboard as a MUI theme: warm greys, one green; borders instead of shadows. */
import { createTheme } from '@mui/material/styles'
import type {} from '@mui/material/themeCssVarsAugmentation'
import { components } from './themeComponents'
import { dark, light, mono, motion, radius, sans, type Tokens } from './tokens'

const scheme = (t: Tokens) => ({
  palette: {
    primary: { main: t.accent, dark: t.accentHover, contrastText: t.accentText },
    secondary: { main: t.textSecondary, contrastText: t.surface },
    error: { main: t.badFg, contrastText: t.surface },
    warning: { main: t.warnFg, contrastText: t.surface },
    info: { main: t.busyFg, contrastText: t.surface },
    success: { main: t.readyFg, contrastText: t.surface },
    background: { default: t.background, paper: t.surface },
    text: { primary: t.text, secondary: t.textSecondary, disabled: t.textTertiary },
    divider: t.border,
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
  components,
})
