import { Box, Button } from '@mui/material'
import { useMutation } from 'urql'
import { muted, row } from '@/shared/components/styles'
import { userErrors } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { Day } from '@/shared/time'
import { showToast } from '@/shared/toast'
import { useSession } from '@/features/session/viewer'
import { RevokeInvitation, type Invitation } from './documents'

/** An invitation that can be accepted, and a way to end it. */
export function InvitationRow({ invitation, onChange }: { invitation: Invitation; onChange: () => void }) {
  const { canWrite } = useSession()
  const [{ fetching }, execute] = useMutation(RevokeInvitation)
  const revoke = async () => {
    const [failure] = userErrors(await execute({ input: { id: invitation.id } }))
    if (failure) showToast({ text: failure.message })
    onChange()
  }
  return (
    <Box component="li" sx={{ ...row, flexWrap: 'wrap' }}>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ fontWeight: 550, overflowWrap: 'anywhere' }}>{invitation.email}</Box>
        <Box sx={muted}>
          {t(`role.${invitation.role}`)}
          {' · '}
          {t('tokens.until')} <Day at={invitation.expiresAt} />
        </Box>
      </Box>
      {canWrite && (
        <Button
          size="small"
          color="error"
          variant="text"
          disabled={fetching}
          onClick={() => void revoke()}
          aria-label={t('members.revokeNamed', { email: invitation.email })}
        >
          {t('tokens.revoke')}
        </Button>
      )}
    </Box>
  )
}
