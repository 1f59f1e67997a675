import { Box, Button } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { CopyAs } from '@/shared/components/CopyAs'
import { FormDialog } from '@/shared/components/FormDialog'
import { PagedList } from '@/shared/components/PagedList'
import { inset, muted, row } from '@/shared/components/styles'
import { Tag } from '@/shared/components/Tag'
import { userErrors } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { Plus } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { RelativeTime, Day } from '@/shared/time'
import { useSession } from '@/features/session/viewer'
import { RevokeApiToken, TokensQuery, type Token } from './documents'

interface TokensProps {
  /** When it grows, they are read again. */
  version: number
  onCreate: () => void
}

/** The account's API tokens. One that is revoked here stays, struck through, until they are read again. */
export function Tokens({ version, onCreate }: TokensProps) {
  const { account, canWrite } = useSession()
  const [revoking, setRevoking] = useState<Token | null>(null)
  return (
    <>
      <PagedList
        label={t('tokens.title')}
        query={TokensQuery}
        variables={{ id: account.id }}
        connectionOf={(data) => data.account?.tokensConnection}
        keyOf={({ id }) => id}
        version={version}
        empty={t('tokens.none')}
      >
        {(token) => <TokenRow token={token} onRevoke={canWrite ? () => setRevoking(token) : undefined} />}
      </PagedList>
      {canWrite && (
        <Box sx={{ ...inset, py: 3.5, borderTop: `1px solid ${vars.border}` }}>
          <Button startIcon={<Plus />} onClick={onCreate}>
            {t('tokens.create')}
          </Button>
        </Box>
      )}
      {revoking && <RevokeDialog token={revoking} onClose={() => setRevoking(null)} />}
    </>
  )
}

function TokenRow({ token, onRevoke }: { token: Token; onRevoke: (() => void) | undefined }) {
  const revoked = token.revokedAt !== null
  return (
    <Box component="li" sx={row}>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ display: 'flex', alignItems: 'center', gap: 2, flexWrap: 'wrap' }}>
          <Box
            sx={{
              fontWeight: 550,
              color: revoked ? vars.textSecondary : vars.text,
              textDecoration: revoked ? 'line-through' : 'none',
              overflowWrap: 'anywhere',
            }}
          >
            {token.name}
          </Box>
          <Tag>{token.scopes.includes('WRITE') ? t('tokens.readsAndWrites') : t('tokens.reads')}</Tag>
        </Box>
        <Box sx={muted}>
          {t('tokens.made')} <RelativeTime at={token.createdAt} />
          {' · '}
          <Validity token={token} />
          {' · '}
          {token.lastUsedAt === null ? (
            t('tokens.neverUsed')
          ) : (
            <>
              {t('tokens.lastUsed')} <RelativeTime at={token.lastUsedAt} />
            </>
          )}
        </Box>
      </Box>
      {!revoked && onRevoke && (
        <Button
          size="small"
          color="error"
          variant="text"
          onClick={onRevoke}
          aria-label={t('tokens.revokeNamed', { name: token.name })}
        >
          {t('tokens.revoke')}
        </Button>
      )}
    </Box>
  )
}

function Validity({ token }: { token: Token }) {
  if (token.revokedAt !== null) {
    return (
      <>
        {t('tokens.revoked')} <Day at={token.revokedAt} />
      </>
    )
  }
  if (token.expiresAt === null) return t('tokens.withoutEnd')
  return (
    <>
      {t('tokens.until')} <Day at={token.expiresAt} />
    </>
  )
}

function RevokeDialog({ token, onClose }: { token: Token; onClose: () => void }) {
  const [{ fetching }, execute] = useMutation(RevokeApiToken)
  const [error, setError] = useState<string>()
  const variables = { input: { id: token.id } }
  const submit = async () => {
    const [failure] = userErrors(await execute(variables))
    if (failure) setError(failure.message)
    else onClose()
  }
  return (
    <FormDialog
      open
      title={t('tokens.revokeQuestion', { name: token.name })}
      text={t('tokens.revokeText')}
      error={error}
      onClose={onClose}
      onSubmit={() => void submit()}
      aside={<CopyAs document={RevokeApiToken} variables={variables} />}
      actions={
        <>
          <Button onClick={onClose}>{t('tokens.keep')}</Button>
          <Button type="submit" variant="contained" color="error" autoFocus disabled={fetching}>
            {t('tokens.revokeNow')}
          </Button>
        </>
      }
    />
  )
}
