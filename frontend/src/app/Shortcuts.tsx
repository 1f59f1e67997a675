import { Box, Dialog, DialogContent, DialogTitle, IconButton, Typography } from '@mui/material'
import { Kbd } from '@/shared/components/Kbd'
import { t, type MessageKey } from '@/shared/i18n'
import { Close } from '@/shared/icons'
import { modifier } from '@/shared/keys'
import { vars } from '@/shared/tokens'

type Shortcut = [
  label: Extract<MessageKey, `shortcuts.${string}` | `palette.${string}` | `store.${string}` | `stores.${string}`>,
  keys: string[],
]
const SHORTCUTS: [title: 'anywhere' | 'list' | 'store' | 'dialog', shortcuts: Shortcut[]][] = [
  [
    'anywhere',
    [
      ['palette.title', [modifier, 'K']],
      ['stores.create', ['C']],
      ['shortcuts.stores', ['G', 'S']],
      ['shortcuts.account', ['G', 'A']],
      ['shortcuts.mode', ['T']],
      ['shortcuts.thisList', ['?']],
    ],
  ],
  [
    'list',
    [
      ['shortcuts.filter', ['/']],
      ['shortcuts.nextPrevious', ['J', 'K']],
      ['shortcuts.see', ['↵']],
      ['store.openShop', ['O']],
      ['store.retry', ['R']],
    ],
  ],
  [
    'store',
    [
      ['shortcuts.tabs', ['1', '…', '4']],
      ['store.openShop', ['O']],
      ['store.copyAddress', ['Y']],
      ['store.retry', ['R']],
      ['shortcuts.back', ['Esc']],
    ],
  ],
  [
    'dialog',
    [
      ['shortcuts.send', [modifier, '↵']],
      ['shortcuts.close', ['Esc']],
    ],
  ],
]

export function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} maxWidth="sm" fullWidth aria-labelledby="shortcuts-title">
      <DialogTitle id="shortcuts-title" sx={{ display: 'flex', alignItems: 'center' }}>
        {t('shortcuts.title')}
        <IconButton aria-label={t('close')} onClick={onClose} sx={{ ml: 'auto', mr: -2 }}>
          <Close />
        </IconButton>
      </DialogTitle>
      <DialogContent
        sx={{ display: 'grid', gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' }, columnGap: 8, rowGap: 5 }}
      >
        {SHORTCUTS.map(([title, shortcuts]) => (
          <Box key={title}>
            <Typography variant="caption" component="h3" sx={{ color: vars.textTertiary, fontWeight: 550, mb: 1 }}>
              {t(`shortcuts.${title}`)}
            </Typography>
            {shortcuts.map(([label, keys]) => (
              <Box
                key={label}
                sx={{
                  display: 'flex',
                  alignItems: 'center',
                  minHeight: 32,
                  fontSize: '0.8125rem',
                  borderTop: `1px solid ${vars.border}`,
                }}
              >
                {t(label as 'shortcuts.filter')}
                <Box sx={{ ml: 'auto', display: 'flex', gap: 1, '& kbd': { display: 'inline-grid' } }}>
                  {keys.map((key) => (
                    <Kbd key={key}>{key}</Kbd>
                  ))}
                </Box>
              </Box>
            ))}
          </Box>
        ))}
      </DialogContent>
    </Dialog>
  )
}
