import { Box, Tab, Tabs, Typography } from '@mui/material'
import { useEffect } from 'react'
import { Link, useParams } from 'react-router'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import { Accounts } from './Accounts'
import { Overview } from './Overview'
import { Stores } from './Stores'

const TABS = ['overview', 'accounts', 'stores'] as const
type TabName = (typeof TABS)[number]
const PANELS = { overview: Overview, accounts: Accounts, stores: Stores }
const isTab = (name: string): name is TabName => (TABS as readonly string[]).includes(name)

/** `/operator/:tab`: all accounts and stores. The API answers operators only. */
export function OperatorPage() {
  const { tab: given = 'overview' } = useParams()
  const tab = isTab(given) ? given : 'overview'
  const Panel = PANELS[tab]
  useEffect(() => {
    document.title = `${t(`operator.${tab}`)} · ${t('operator.title')} · ${t('product')}`
  }, [tab])
  return (
    <>
      <Typography variant="display" component="h1" sx={{ mb: 3 }}>
        {t('operator.title')}
      </Typography>
      <Tabs value={tab} aria-label={t('operator.title')} sx={{ borderBottom: `1px solid ${vars.border}`, mb: 6 }}>
        {TABS.map((name) => (
          <Tab
            key={name}
            value={name}
            label={t(`operator.${name}`)}
            id={`tab-${name}`}
            aria-controls="panel"
            component={Link}
            to={name === 'overview' ? '/operator' : `/operator/${name}`}
          />
        ))}
      </Tabs>
      <Box role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`} tabIndex={-1} sx={{ outline: 'none' }}>
        <Panel />
      </Box>
    </>
  )
}
