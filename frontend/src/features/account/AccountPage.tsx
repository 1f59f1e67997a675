import { Box, Button } from '@mui/material'
import { useReducer, useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import { Annotated, SettingsRow } from '@/shared/components/Card'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { DescriptionList } from '@/shared/components/DescriptionList'
import { PageHead } from '@/shared/components/PageHead'
import { errorMessage } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { Lock } from '@/shared/icons'
import { useSession } from '@/features/session/viewer'
import { AccountQuery } from './documents'
import { Meters } from './Meters'
import { PasswordDialog } from './PasswordDialog'
import { Sessions } from './Sessions'
import { TokenDialog } from './TokenDialog'
import { Tokens } from './Tokens'

/** Who one is here, the account's limits, its API tokens, and one's sessions. */
export function AccountPage() {
  const { user, account, canWrite } = useSession()
  const { data, error, refetch } = useData({ query: AccountQuery, variables: { id: account.id } })
  const [search, setSearch] = useSearchParams()
  const [changing, setChanging] = useState(false)
  const [version, readTokens] = useReducer((n: number) => n + 1, 0)
  const detail = data?.account
  return (
    <Box>
      <PageHead title={t('nav.account')} />
      {error && !detail && <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner>}
      <Annotated title={account.name} text={t('account.about')}>
        <DescriptionList
          wide
          rows={[
            [t('account.you'), user.email],
            [t('account.role'), t(`role.${account.role}`)],
          ]}
        />
      </Annotated>
      <Annotated title={t('limits.title')} text={t('limits.about')}>
        <Meters account={detail ?? account} />
      </Annotated>
      <Annotated title={t('tokens.title')} text={t('tokens.about')}>
        <Tokens version={version} onCreate={() => setSearch({ token: 'new' }, { replace: true })} />
      </Annotated>
      <Annotated title={t('password.title')} text={t('password.about')}>
        <SettingsRow text={t('password.text')}>
          <Button startIcon={<Lock />} onClick={() => setChanging(true)}>
            {t('password.open')}
          </Button>
        </SettingsRow>
      </Annotated>
      <Annotated title={t('sessions.title')} text={t('sessions.about')}>
        <Sessions />
      </Annotated>
      <Annotated title={t('webhooks.title')} text={t('webhooks.about')}>
        <SettingsRow text={t('webhooks.text')}>
          <Button component={Link} to="/account/webhooks">
            {t('webhooks.open')}
          </Button>
        </SettingsRow>
      </Annotated>
      <Annotated title={t('members.title')} text={t('members.about')}>
        <SettingsRow text={t('members.text')}>
          <Button component={Link} to="/account/members">
            {t('members.open')}
          </Button>
        </SettingsRow>
      </Annotated>
      {canWrite && (
        <Annotated title={t('audit.title')} text={t('audit.about')}>
          <SettingsRow text={t('audit.text')}>
            <Button component={Link} to="/account/audit">
              {t('audit.open')}
            </Button>
          </SettingsRow>
        </Annotated>
      )}
      {search.get('token') === 'new' && (
        <TokenDialog
          onClose={() => {
            setSearch({}, { replace: true })
            readTokens()
          }}
        />
      )}
      {changing && <PasswordDialog onClose={() => setChanging(false)} />}
    </Box>
  )
}
