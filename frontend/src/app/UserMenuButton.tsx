import { Avatar, Box, ButtonBase } from '@mui/material'
import { Suspense, lazy, useState } from 'react'
import { useSession } from '@/features/session/viewer'
import { visuallyHidden } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { ring, vars } from '@/shared/tokens'
import type { UserMenuProps } from './UserMenu'

const UserMenu = lazy(() => import('./UserMenu').then((module) => ({ default: module.UserMenu })))

/** The user's initials; opens the menu, whose code is loaded when it is needed. */
export function UserMenuButton(props: Omit<UserMenuProps, 'anchor' | 'onClose'>) {
  const { user } = useSession()
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  return (
    <>
      <ButtonBase
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
        sx={{ borderRadius: '50%', p: { xs: 1.25, sm: 0 }, '&:focus-visible': ring }}
      >
        <Box component="span" sx={visuallyHidden}>
          {t('userMenu.menu', { email: user.email })}
        </Box>
        <Avatar
          aria-hidden
          sx={{
            width: 30,
            height: 30,
            bgcolor: vars.accentSoft,
            color: vars.accent,
            fontSize: '0.75rem',
            fontWeight: 600,
          }}
        >
          {user.email.slice(0, 2).toUpperCase()}
        </Avatar>
      </ButtonBase>
      {anchor && (
        <Suspense>
          <UserMenu {...props} anchor={anchor} onClose={() => setAnchor(null)} />
        </Suspense>
      )}
    </>
  )
}
