/** How MUI's inputs and their lists look: their default props and styles. */
import { createElement } from 'react'
import type { ThemeOptions } from '@mui/material/styles'
import SvgIcon, { type SvgIconProps } from '@mui/material/SvgIcon'
import { motion, radius, ring, v } from './tokens'

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
      input: {
        padding: '7px 12px',
        height: 'auto',
        textOverflow: 'ellipsis',
        '&::placeholder': { color: v.ink3, opacity: 1 },
      },
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
}
