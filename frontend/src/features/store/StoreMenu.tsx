import { IconButton, Menu, MenuItem } from '@mui/material'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { t } from '@/shared/i18n'
import { Copy, More, Settings, Terminal, Trash } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import type { Store } from '@/features/stores/documents'

const atEnd = { vertical: 'bottom', horizontal: 'right' } as const
const fromEnd = { vertical: 'top', horizontal: 'right' } as const

export function StoreMenu({ store }: { store: Store }) {
  const navigate = useNavigate()
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const close = () => setAnchor(null)
  const go = (tab: string) => () => {
    close()
    void navigate(`/stores/${store.slug}/${tab}`)
  }
  const label = t('store.moreNamed', { name: store.name })
  return (
    <>
      <IconButton
        aria-label={label}
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
        sx={{
          width: { xs: 40, sm: 34 },
          height: { xs: 40, sm: 34 },
          border: `1px solid ${vars.borderStrong}`,
          bgcolor: vars.surface,
        }}
      >
        <More />
      </IconButton>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={close} anchorOrigin={atEnd} transformOrigin={fromEnd}>
        <MenuItem
          onClick={() => {
            close()
            void navigator.clipboard.writeText(store.url)
          }}
        >
          <Copy />
          {t('store.copyAddress')}
        </MenuItem>
        <MenuItem onClick={go('logs')}>
          <Terminal />
          {t('store.followLogs')}
        </MenuItem>
        <MenuItem onClick={go('settings')}>
          <Settings />
          {t('tab.settings')}
        </MenuItem>
        <MenuItem onClick={go('settings#delete')} sx={{ color: vars.badFg }}>
          <Trash />
          {t('delete.menu')}
        </MenuItem>
      </Menu>
    </>
  )
}
