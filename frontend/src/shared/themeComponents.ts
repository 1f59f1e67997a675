/** How MUI's components look: their default props and styles. */
import type { ThemeOptions } from '@mui/material/styles'
import { inputs } from './themeInputs'
import { motion, radius, ring, sans, vars } from './tokens'

/** A finger needs 40 px. */
const onPhone = { '@media (max-width: 599px)': { minWidth: 40, minHeight: 40 } }

export const components: ThemeOptions['components'] = {
  ...inputs,
  MuiCssBaseline: {
    styleOverrides: {
      html: { WebkitTextSizeAdjust: '100%', scrollbarGutter: 'stable' },
      // No backdrop covers the scrollbar's gutter, which has the colour of the root.
      'html:has(.MuiBackdrop-root:not(.MuiBackdrop-invisible))': { backgroundColor: vars.backgroundDimmed },
      body: { fontFeatureSettings: '"ss01" 0', textRendering: 'optimizeLegibility', overflowWrap: 'anywhere' },
      'h1, h2, h3': { textWrap: 'balance' },
      p: { textWrap: 'pretty' },
      a: { color: 'inherit', textUnderlineOffset: '0.2em', textDecorationThickness: '1px' },
      'a:focus-visible, button:focus-visible, [tabindex="0"]:focus-visible': { ...ring, borderRadius: 4 },
      '::selection': { background: vars.accentSoft, color: vars.text },
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
        '&.Mui-disabled': { color: vars.textTertiary, borderColor: vars.border },
        '&:active': { transform: 'translateY(0.5px)' },
      },
      sizeSmall: { height: 28, padding: '0 10px', ...onPhone },
      sizeMedium: { height: 34, padding: '0 14px', ...onPhone },
      sizeLarge: { height: 44, padding: '0 20px', fontSize: '0.9375rem' },
      contained: { '&.Mui-disabled': { background: vars.surfaceSunken, color: vars.textTertiary } },
      outlined: {
        borderColor: vars.borderStrong,
        background: vars.surface,
        color: vars.text,
        '&:hover': { background: vars.surfaceSunken, borderColor: vars.borderStrong },
        '&.MuiButton-colorError': {
          color: vars.badFg,
          '&:hover': { background: vars.badBg, borderColor: vars.badBorder },
        },
      },
      text: {
        color: vars.textSecondary,
        '&:hover': { background: vars.surfaceSunken, color: vars.text },
        '&.MuiButton-colorError': { color: vars.badFg, '&:hover': { background: vars.badBg } },
      },
    },
  },
  MuiIconButton: {
    styleOverrides: {
      root: {
        borderRadius: radius.control,
        width: 32,
        height: 32,
        padding: 0,
        color: vars.textSecondary,
        '&:hover': { background: vars.surfaceSunken, color: vars.text },
        ...onPhone,
      },
      sizeSmall: { width: 28, height: 28 },
    },
  },
  MuiPaper: { defaultProps: { elevation: 0 }, styleOverrides: { root: { backgroundImage: 'none' } } },
  MuiDialog: {
    styleOverrides: {
      paper: {
        borderRadius: radius.card,
        border: `1px solid ${vars.border}`,
        boxShadow: vars.shadow,
        background: vars.surface,
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
        borderTop: `1px solid ${vars.border}`,
        gap: 8,
        '& > :not(style) ~ :not(style)': { marginLeft: 0 },
      },
    },
  },
  MuiBackdrop: { styleOverrides: { root: { '&:not(.MuiBackdrop-invisible)': { background: vars.backdrop } } } },
  MuiTooltip: {
    defaultProps: { enterDelay: 400, enterNextDelay: 100, arrow: false, disableInteractive: true },
    styleOverrides: {
      tooltip: {
        background: vars.text,
        color: vars.background,
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
        background: vars.accent,
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
        color: vars.textSecondary,
        gap: 6,
        '&:hover': { color: vars.text },
        '&.Mui-selected': { color: vars.text },
        '&.Mui-focusVisible': { ...ring, outlineOffset: -2, borderRadius: 4 },
      },
    },
  },
  MuiTableCell: {
    styleOverrides: {
      root: { borderColor: vars.border, padding: '0 12px', fontSize: '0.875rem' },
      head: { fontSize: '0.75rem', fontWeight: 500, color: vars.textTertiary, height: 36, background: 'transparent' },
    },
  },
  MuiSnackbarContent: {
    styleOverrides: {
      root: {
        background: vars.text,
        color: vars.background,
        borderRadius: 10,
        fontSize: '0.875rem',
        padding: '4px 8px 4px 16px',
        boxShadow: vars.shadow,
        minWidth: 0,
      },
    },
  },
  MuiSkeleton: {
    defaultProps: { animation: false },
    styleOverrides: { root: { background: vars.surfaceSunken, borderRadius: 6 } },
  },
  MuiDivider: { styleOverrides: { root: { borderColor: vars.border } } },
  MuiLink: { defaultProps: { underline: 'hover', color: 'inherit' } },
}
