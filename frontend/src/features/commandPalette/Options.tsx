import { Box } from '@mui/material'
import type { Ref } from 'react'
import { Kbd } from '@/shared/components/Kbd'
import { ellipsis, muted } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import type { Command } from './useCommands'

interface OptionsProps {
  ref: Ref<HTMLUListElement>
  id: string
  commands: Command[]
  current: Command | undefined
  wanted: string
  onHover: (index: number) => void
  onRun: (command: Command) => void
}

/** The listbox of the palette; a heading before each group. */
export function Options({ ref, id, commands, current, wanted, onHover, onRun }: OptionsProps) {
  return (
    <Box component="ul" ref={ref} role="listbox" id={`${id}-list`} aria-label={t('palette.results')} sx={list}>
      {commands.length === 0 && (
        <Box
          component="li"
          role="option"
          aria-selected={false}
          aria-disabled
          sx={{ px: 2.5, py: 6, textAlign: 'center', color: vars.textSecondary }}
        >
          {t('palette.noMatch', { wanted })}
        </Box>
      )}
      {commands.map((command, i) => (
        <Box key={command.id} component="li" role="none">
          {commands[i - 1]?.group !== command.group && (
            <Box
              aria-hidden
              sx={{ px: 2.5, pt: i ? 3 : 1, pb: 1, fontSize: '0.75rem', color: vars.textTertiary, fontWeight: 500 }}
            >
              {command.group}
            </Box>
          )}
          <Box
            role="option"
            id={`${id}-${command.id}`}
            aria-selected={command === current}
            onMouseMove={() => onHover(i)}
            onClick={() => onRun(command)}
            sx={{ ...option, bgcolor: command === current ? vars.accentSoft : 'transparent' }}
          >
            {command.icon}
            <Box component="span" sx={{ flex: 1, ...ellipsis }}>
              {command.text}
            </Box>
            {command.aside && (
              <Box component="span" sx={muted}>
                {command.aside}
              </Box>
            )}
            {command.keys?.map((key) => (
              <Kbd key={key}>{key}</Kbd>
            ))}
          </Box>
        </Box>
      ))}
    </Box>
  )
}

const list = { m: 0, p: 1.5, overflowY: 'auto', listStyle: 'none' }
const option = {
  display: 'flex',
  alignItems: 'center',
  gap: 3,
  minHeight: { xs: 44, sm: 38 },
  px: 2.5,
  borderRadius: '6px',
  cursor: 'pointer',
  '& > .MuiSvgIcon-root': { color: vars.textSecondary },
  '& > kbd + kbd': { ml: -2 },
}
