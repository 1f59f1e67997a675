import { Box, ButtonBase, IconButton } from '@mui/material'
import { Kbd } from '@/shared/components/Kbd'
import { t } from '@/shared/i18n'
import { Search } from '@/shared/icons'
import { isMac } from '@/shared/keys'
import { ring, vars } from '@/shared/tokens'

/** Opens the palette: a field to look at, an icon on phones. */
export function SearchButton({ onClick }: { onClick: () => void }) {
  const label = t('palette.title')
  return (
    <>
      <IconButton
        aria-label={label}
        onClick={onClick}
        sx={{ display: { xs: 'inline-flex', sm: 'none' }, width: 40, height: 40 }}
      >
        <Search sx={{ fontSize: 18 }} />
      </IconButton>
      <ButtonBase onClick={onClick} aria-keyshortcuts={isMac ? 'Meta+K' : 'Control+K'} sx={searchButton}>
        <Search sx={{ fontSize: 15 }} />
        {t('palette.open')}
        <Box component="span" sx={{ ml: 'auto', display: 'flex' }}>
          <Kbd>{isMac ? '⌘K' : 'Ctrl K'}</Kbd>
        </Box>
      </ButtonBase>
    </>
  )
}

const searchButton = {
  display: { xs: 'none', sm: 'inline-flex' },
  height: 32,
  width: 232,
  px: 2.5,
  gap: 2,
  justifyContent: 'flex-start',
  borderRadius: '8px',
  border: `1px solid ${vars.borderStrong}`,
  bgcolor: vars.surface,
  color: vars.textSecondary,
  fontSize: '0.8125rem',
  '&:hover': { borderColor: vars.inputBorder },
  '&:focus-visible': ring,
}
