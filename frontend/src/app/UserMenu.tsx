import { Box, Divider, Menu, MenuItem } from '@mui/material'
import { Link } from 'react-router'
import { signOut } from '@/features/session/auth'
import { useSession } from '@/features/session/viewer'
import { Kbd } from '@/shared/components/Kbd'
import { muted } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { chooseLanguage, language } from '@/shared/i18n/locale'
import { Check, Code, Globe, Info, Keyboard, LogOut } from '@/shared/icons'

export interface UserMenuProps {
  anchor: HTMLElement
  onClose: () => void
  modeLabel: string
  modeIcon: React.ReactNode
  onMode: () => void
  onShortcuts: () => void
  onTour: () => void
}

const atEnd = { vertical: 'bottom', horizontal: 'right' } as const
const fromEnd = { vertical: 'top', horizontal: 'right' } as const

export function UserMenu(props: UserMenuProps) {
  const { anchor, onClose, modeLabel, modeIcon, onMode, onShortcuts, onTour } = props
  const { user, account, accounts, chooseAccount, isOperator } = useSession()
  const then = (action: () => void) => () => {
    onClose()
    action()
  }
  const other = language === 'en' ? 'de' : 'en'
  return (
    <Menu anchorEl={anchor} open onClose={onClose} anchorOrigin={atEnd} transformOrigin={fromEnd}>
      <Box component="li" role="none" sx={{ px: 2.5, pt: 1.5, pb: 2 }}>
        <Box sx={{ fontWeight: 550 }}>{account.name}</Box>
        <Box sx={muted}>{user.email}</Box>
      </Box>
      <Divider sx={{ my: 1 }} />
      {accounts.length > 1 &&
        accounts.map(({ id, name }) => (
          <MenuItem key={id} selected={id === account.id} onClick={then(() => chooseAccount(id))}>
            {name}
            {id === account.id && <Check sx={{ ml: 'auto' }} />}
          </MenuItem>
        ))}
      {accounts.length > 1 && <Divider sx={{ my: 1 }} />}
      {isOperator && (
        <MenuItem component={Link} to="/operator" onClick={onClose}>
          <Globe />
          {t('operator.title')}
        </MenuItem>
      )}
      <MenuItem onClick={onMode}>
        {modeIcon}
        {modeLabel}
        <End>
          <Kbd>T</Kbd>
        </End>
      </MenuItem>
      <MenuItem lang={other} onClick={() => chooseLanguage(other)}>
        <Globe />
        {t('language.other')}
      </MenuItem>
      <MenuItem onClick={then(onShortcuts)}>
        <Keyboard />
        {t('shortcuts.title')}
        <End>
          <Kbd>?</Kbd>
        </End>
      </MenuItem>
      <MenuItem onClick={then(onTour)}>
        <Info />
        {t('tour.title')}
      </MenuItem>
      <MenuItem component="a" href="/graphiql">
        <Code />
        {t('nav.playground')}
      </MenuItem>
      <Divider sx={{ my: 1 }} />
      <MenuItem onClick={() => void signOut()}>
        <LogOut />
        {t('session.signOut')}
      </MenuItem>
    </Menu>
  )
}

const End = ({ children }: { children: React.ReactNode }) => (
  <Box component="span" sx={{ ml: 'auto', pl: 4 }}>
    {children}
  </Box>
)
