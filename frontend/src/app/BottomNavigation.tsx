import { Box, IconButton } from '@mui/material'
import { Link } from 'react-router'
import type { Store as Icon } from '@/shared/icons'
import { t } from '@/shared/i18n'
import { Plus } from '@/shared/icons'
import { vars } from '@/shared/tokens'

export interface NavigationItem {
  to: string
  label: string
  icon: typeof Icon
  current: boolean
}

/** The navigation at the bottom of a phone's screen, with the button for a new store between its items. */
export function BottomNavigation({ items, canWrite }: { items: NavigationItem[]; canWrite: boolean }) {
  return (
    <Box component="nav" aria-label={t('nav.label')} sx={barStyle}>
      {items.map(({ to, label, icon: Icon, current }, i) => (
        <Box key={to} sx={{ display: 'contents' }}>
          {i === 1 && canWrite && (
            <IconButton component={Link} to="/new" aria-label={t('stores.create')} sx={createStyle}>
              <Plus sx={{ fontSize: 22 }} />
            </IconButton>
          )}
          <Box
            component={Link}
            to={to}
            aria-current={current ? 'page' : undefined}
            sx={{ ...itemStyle, color: current ? vars.accent : vars.textSecondary }}
          >
            <Icon sx={{ fontSize: 20 }} />
            {label}
          </Box>
        </Box>
      ))}
    </Box>
  )
}

const barStyle = {
  display: { xs: 'grid', sm: 'none' },
  gridTemplateColumns: '1fr auto 1fr',
  alignItems: 'center',
  position: 'fixed',
  insetInline: 0,
  bottom: 0,
  zIndex: 20,
  height: 'calc(60px + env(safe-area-inset-bottom))',
  pb: 'env(safe-area-inset-bottom)',
  bgcolor: vars.surface,
  borderTop: `1px solid ${vars.border}`,
}
const itemStyle = {
  display: 'grid',
  justifyItems: 'center',
  gap: 0.5,
  fontSize: '0.75rem',
  fontWeight: 500,
  textDecoration: 'none',
}
const createStyle = {
  width: 48,
  height: 48,
  bgcolor: vars.accent,
  color: vars.accentText,
  '&:hover': { bgcolor: vars.accentHover, color: vars.accentText },
}
