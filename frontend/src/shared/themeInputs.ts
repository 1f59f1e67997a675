/** How MUI's inputs and their lists look: their default props and styles. */
import { createElement } from 'react'
import type { ThemeOptions } from '@mui/material/styles'
import SvgIcon, { type SvgIconProps } from '@mui/material/SvgIcon'
import { motion, radius, ring, vars } from './tokens'

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

export const inputs: ThemeOptions['components'] = {
  MuiOutlinedInput: {
    styleOverrides: {
      root: {
        background: vars.surface,
        minHeight: 36,
        borderRadius: radius.control,
        fontSize: '0.875rem',
        '@media (max-width: 599px)': { fontSize: '1rem', minHeight: 44 }, // below 16 px iOS zooms in
        '& .MuiOutlinedInput-notchedOutline': {
          borderColor: vars.inputBorder,
          transition: `border-color ${motion.quick}ms`,
        },
        '&:hover:not(.Mui-focused):not(.Mui-error) .MuiOutlinedInput-notchedOutline': {
          borderColor: vars.textSecondary,
        },
        '&.Mui-focused .MuiOutlinedInput-notchedOutline': {
          borderWidth: 1,
          borderColor: vars.accent,
          boxShadow: `0 0 0 3px ${vars.accentSoft}`,
        },
        '&.Mui-error .MuiOutlinedInput-notchedOutline': { borderColor: vars.badFg },
        '&.Mui-error.Mui-focused .MuiOutlinedInput-notchedOutline': { boxShadow: `0 0 0 3px ${vars.badBg}` },
      },
      input: {
        padding: '7px 12px',
        height: 'auto',
        textOverflow: 'ellipsis',
        '&::placeholder': { color: vars.textTertiary, opacity: 1 },
      },
    },
  },
  MuiSelect: {
    defaultProps: { IconComponent: Chevron },
    styleOverrides: { icon: { right: 10, color: vars.textSecondary, transition: `transform ${motion.calm}ms` } },
  },
  MuiFormLabel: {
    styleOverrides: {
      root: {
        fontSize: '0.8125rem',
        fontWeight: 550,
        lineHeight: 1.4,
        color: vars.text,
        '&.Mui-focused, &.Mui-error': { color: vars.text },
      },
    },
  },
  MuiFormHelperText: {
    styleOverrides: {
      root: {
        margin: '6px 0 0',
        fontSize: '0.8125rem',
        lineHeight: 1.45,
        color: vars.textSecondary,
        '&.Mui-error': { color: vars.badFg },
      },
    },
  },
  MuiMenu: {
    defaultProps: { transitionDuration: motion.quick },
    styleOverrides: {
      paper: {
        marginTop: 6,
        borderRadius: 10,
        background: vars.raised,
        border: `1px solid ${vars.border}`,
        boxShadow: vars.shadow,
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
        '&:hover, &.Mui-focusVisible': { background: vars.surfaceSunken },
        '&.Mui-selected, &.Mui-selected:hover': { background: vars.accentSoft },
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
        background: vars.raised,
        border: `1px solid ${vars.border}`,
        boxShadow: vars.shadow,
        fontSize: '0.875rem',
      },
      listbox: { padding: 4 },
      option: {
        borderRadius: 6,
        minHeight: '34px !important',
        padding: '5px 10px !important',
        '&.Mui-focused': { background: `${vars.surfaceSunken} !important` },
        '&[aria-selected="true"]': { background: `${vars.accentSoft} !important` },
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
          color: vars.accentText,
          '& + .MuiSwitch-track': { background: vars.accent, opacity: 1 },
        },
        '&.Mui-focusVisible + .MuiSwitch-track': ring,
      },
      thumb: { width: 16, height: 16, boxShadow: 'none', background: 'currentColor' },
      track: { borderRadius: 10, background: vars.inputBorder, opacity: 1 },
    },
  },
  MuiCheckbox: { styleOverrides: { root: { padding: 4, color: vars.inputBorder } } },
  MuiRadio: { styleOverrides: { root: { padding: 4, color: vars.inputBorder } } },
}
