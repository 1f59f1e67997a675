import { Box, Dialog, IconButton } from '@mui/material'
import { useId, useRef, useState } from 'react'
import { Kbd } from '@/shared/components/Kbd'
import { visuallyHidden } from '@/shared/components/styles'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { Close, Search } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { useDebounced } from '@/shared/useDebounced'
import { useSession } from '@/features/session/viewer'
import { StoresQuery } from '@/features/stores/documents'
import { matchScore } from './match'
import { Options } from './Options'
import { useCommands, type Command } from './useCommands'

const STORES = 50
const STORES_UNASKED = 6

/** The commands that fit, the best group first; without a wish all of them, but few stores. */
export function rankCommands(commands: Command[], wanted: string, storeGroup: string) {
  if (!wanted.trim()) {
    const stores = commands.filter(({ group }) => group === storeGroup)
    return commands.filter((command) => command.group !== storeGroup || stores.indexOf(command) < STORES_UNASKED)
  }
  const scored = commands
    .map((command) => ({ command, score: matchScore(command.words, wanted) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
  const groups = [...new Set(scored.map(({ command }) => command.group))]
  return groups.flatMap((group) => scored.map(({ command }) => command).filter((command) => command.group === group))
}

/** Search and jump: a combobox with a listbox. */
export function CommandPalette({ onClose, onShortcuts }: { onClose: () => void; onShortcuts: () => void }) {
  return (
    <Dialog
      open
      onClose={onClose}
      aria-labelledby="palette-title"
      transitionDuration={120}
      slotProps={{ paper: { sx: paper } }}
    >
      <Box component="h2" id="palette-title" sx={visuallyHidden}>
        {t('palette.title')}
      </Box>
      <PaletteSearch onClose={onClose} onShortcuts={onShortcuts} />
    </Dialog>
  )
}

function PaletteSearch({ onClose, onShortcuts }: { onClose: () => void; onShortcuts: () => void }) {
  const id = useId()
  const { account } = useSession()
  const [wanted, setWanted] = useState('')
  const [at, setAt] = useState(0)
  const list = useRef<HTMLUListElement>(null)
  const search = useDebounced(wanted.trim())
  const { data } = useData({
    query: StoresQuery,
    variables: { accountId: account.id, first: STORES, filter: search ? { search } : null },
  })
  const commands = useCommands(data?.stores.nodes ?? [], onShortcuts)
  const shown = rankCommands(commands, wanted, t('stores.title'))
  const current = shown[Math.min(at, shown.length - 1)]

  const move = (by: number) => {
    const next = (at + by + shown.length) % Math.max(1, shown.length)
    setAt(next)
    list.current?.querySelectorAll('[role="option"]')[next]?.scrollIntoView({ block: 'nearest' })
  }
  const run = (command: Command | undefined) => {
    if (!command) return
    onClose()
    command.run()
  }
  return (
    <>
      <Box sx={head}>
        <Search sx={{ fontSize: 17, color: vars.textTertiary }} />
        <Box
          component="input"
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={`${id}-list`}
          aria-activedescendant={current && `${id}-${current.id}`}
          aria-label={t('palette.title')}
          placeholder={t('palette.placeholder')}
          autoComplete="off"
          spellCheck={false}
          value={wanted}
          onChange={(event: React.ChangeEvent<HTMLInputElement>) => {
            setWanted(event.target.value)
            setAt(0)
          }}
          onKeyDown={(event: React.KeyboardEvent) => {
            const down = event.key === 'ArrowDown' || (event.ctrlKey && event.key === 'n')
            const up = event.key === 'ArrowUp' || (event.ctrlKey && event.key === 'p')
            if (down || up) {
              event.preventDefault()
              move(down ? 1 : -1)
            }
            if (event.key === 'Enter') {
              event.preventDefault()
              run(current)
            }
          }}
          sx={input}
        />
        <Kbd>Esc</Kbd>
        <IconButton
          aria-label={t('close')}
          onClick={onClose}
          sx={{ display: { xs: 'inline-flex', sm: 'none' }, mr: -2, width: 40, height: 40 }}
        >
          <Close />
        </IconButton>
      </Box>
      <Options ref={list} id={id} commands={shown} current={current} wanted={wanted} onHover={setAt} onRun={run} />
      <Box sx={foot}>
        <Kbd>↑</Kbd>
        <Kbd>↓</Kbd> {t('palette.choose')}
        <Box component="span" sx={{ ml: 4 }}>
          <Kbd>↵</Kbd> {t('palette.go')}
        </Box>
      </Box>
    </>
  )
}

const paper = {
  position: 'absolute',
  top: { xs: 8, sm: '13vh' },
  width: 620,
  maxWidth: 'calc(100% - 16px)',
  m: 0,
  maxHeight: { xs: 'calc(100% - 16px)', sm: '70vh' },
  bgcolor: vars.raised,
  overflow: 'hidden',
}
const head = {
  display: 'flex',
  alignItems: 'center',
  gap: 2.5,
  px: 4,
  height: 52,
  borderBottom: `1px solid ${vars.border}`,
  flex: 'none',
}
const input = {
  flex: 1,
  minWidth: 0,
  border: 0,
  outline: 0,
  bgcolor: 'transparent',
  color: vars.text,
  font: 'inherit',
  fontSize: '1rem',
  '&::placeholder': { color: vars.textTertiary },
}
const foot = {
  display: { xs: 'none', sm: 'flex' },
  gap: 1,
  px: 4,
  height: 38,
  flex: 'none',
  alignItems: 'center',
  borderTop: `1px solid ${vars.border}`,
  color: vars.textSecondary,
  fontSize: '0.75rem',
}
