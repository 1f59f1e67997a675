import { Box, IconButton } from '@mui/material'
import { Link } from 'react-router'
import type { Store as Icon } from '@/shared/icons'
import { t } from '@/shared/i18n'
import { Plus } from '@/shared/icons'
import { vars } from '@/shared/tokens'

export interface Place {
  to: string
  label: string
  icon: typeof Icon
  here: boolean
}

/** The places at the bottom of a phone's screen, and what is done most between them. */
export function PhoneBar({ places, canWrite }: { places: Place[]; canWrite: boolean }) {
  return (
    <Box component="nav" aria-label={t('nav.label')} sx={phoneBar}>
      {places.map(({ to, label, icon: Icon, here }, i) => (
        <Box key={to} sx={{ display: 'contents' }}>
          {i === 1 && canWrite && (
            <IconButton component={Link} to="/new" aria-label={t('stores.create')} sx={phoneCreate}>
              <Plus sx={{ fontSize: 22 }} />
            </IconButton>
          )}
          <Box
            component={Link}
            to={to}
            aria-current={here ? 'page' : undefined}
            sx={{ ...phonePlace, color: here ? vars.accent : vars.textSecondary }}
          >
            <Icon sx={{ fontSize: 20 }} />
            {label}
          </Box>
        </Box>
      ))}
    </Box>
  )
}

const phoneBar = {
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
const phonePlace = {
  display: 'grid',
  justifyItems: 'center',
  gap: 0.5,
  fontSize: '0.75rem',
  fontWeight: 500,
  textDecoration: 'none',
}
const phoneCreate = {
  width: 48,
  height: 48,
  bgcolor: vars.accent,
  color: vars.accentText,
  '&:hover': { bgcolor: vars.accentHover, color: vars.accentText },
}
