import { Box, Button, MenuItem, Select } from '@mui/material'
import { useReducer, useState } from 'react'
import { useMutation } from 'urql'
import { Section } from '@/shared/components/Card'
import { FormDialog } from '@/shared/components/FormDialog'
import { PagedList } from '@/shared/components/PagedList'
import { PageHead } from '@/shared/components/PageHead'
import { muted, row } from '@/shared/components/styles'
import { userErrors } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { Plus } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { Day } from '@/shared/time'
import { showToast } from '@/shared/toast'
import { useSession } from '@/features/session/viewer'
import { ChangeRole, InvitationsQuery, MembersQuery, RemoveMember, type Member } from './documents'
import { InvitationRow } from './InvitationRow'
import { InviteDialog } from './InviteDialog'
import { ROLES, type Role } from './roles'

/** Who belongs to the account, who is invited, and what they may do. */
export function MembersPage() {
  const { account, canWrite } = useSession()
  const [inviting, setInviting] = useState(false)
  const [version, refetch] = useReducer((n: number) => n + 1, 0)
  const variables = { id: account.id }
  return (
    <Box>
      <PageHead title={t('members.title')} back={{ to: '/account', label: t('nav.account') }}>
        {canWrite && (
          <Button variant="contained" color="primary" startIcon={<Plus />} onClick={() => setInviting(true)}>
            {t('members.invite')}
          </Button>
        )}
      </PageHead>
      <Box sx={{ display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: 6 }}>
        <Section title={account.name}>
          <PagedList
            label={t('members.title')}
            query={MembersQuery}
            variables={variables}
            connectionOf={(data) => data.account?.membersConnection}
            keyOf={({ userId }) => userId}
            version={version}
          >
            {(member) => <MemberRow member={member} onChange={refetch} />}
          </PagedList>
        </Section>
        {canWrite && (
          <Section title={t('members.invited')}>
            <PagedList
              label={t('members.invited')}
              query={InvitationsQuery}
              variables={variables}
              connectionOf={(data) => data.account?.invitationsConnection}
              keyOf={({ id }) => id}
              version={version}
              empty={t('members.noneInvited')}
            >
              {(invitation) => <InvitationRow invitation={invitation} onChange={refetch} />}
            </PagedList>
          </Section>
        )}
      </Box>
      {inviting && (
        <InviteDialog
          onClose={() => {
            setInviting(false)
            refetch()
          }}
        />
      )}
    </Box>
  )
}

function MemberRow({ member, onChange }: { member: Member; onChange: () => void }) {
  const { account, user, refetch } = useSession()
  const [{ fetching }, changeRole] = useMutation(ChangeRole)
  const [removing, setRemoving] = useState(false)
  const isSelf = member.userId === user.id
  const manages = account.role === 'OWNER' || (account.role === 'ADMIN' && member.role !== 'OWNER')
  const offered = ROLES.filter((role) => account.role === 'OWNER' || role !== 'OWNER')
  const change = async (role: Role) => {
    const input = { accountId: account.id, userId: member.userId, role }
    const [failure] = userErrors(await changeRole({ input }))
    if (failure) showToast({ text: failure.message })
    onChange()
    if (isSelf) refetch()
  }
  return (
    <Box component="li" sx={{ ...row, flexWrap: 'wrap' }}>
      <Box sx={{ flex: '1 1 12rem', minWidth: 0 }}>
        <Box sx={{ fontWeight: 550, overflowWrap: 'anywhere' }}>{member.email}</Box>
        <Box sx={muted}>
          {isSelf && t('members.you')}
          {isSelf && member.since && ' · '}
          {member.since && (
            <>
              {t('members.since')} <Day at={member.since} />
            </>
          )}
        </Box>
      </Box>
      {manages ? (
        <Select
          size="small"
          value={member.role}
          disabled={fetching}
          onChange={(event) => void change(event.target.value as Role)}
          inputProps={{ 'aria-label': t('members.roleOf', { email: member.email }) }}
        >
          {offered.map((role) => (
            <MenuItem key={role} value={role}>
              {t(`role.${role}`)}
            </MenuItem>
          ))}
        </Select>
      ) : (
        <Box sx={{ color: vars.textSecondary }}>{t(`role.${member.role}`)}</Box>
      )}
      {(manages || isSelf) && (
        <Button
          size="small"
          color="error"
          variant="text"
          onClick={() => setRemoving(true)}
          aria-label={isSelf ? t('members.leave') : t('members.removeNamed', { email: member.email })}
        >
          {isSelf ? t('members.leave') : t('members.remove')}
        </Button>
      )}
      {removing && (
        <RemoveDialog
          member={member}
          isSelf={isSelf}
          onClose={(done) => {
            setRemoving(false)
            if (done) onChange()
          }}
        />
      )}
    </Box>
  )
}

interface RemoveDialogProps {
  member: Member
  isSelf: boolean
  onClose: (done: boolean) => void
}

function RemoveDialog({ member, isSelf, onClose }: RemoveDialogProps) {
  const { account } = useSession()
  const [{ fetching }, execute] = useMutation(RemoveMember)
  const [error, setError] = useState<string>()
  const submit = async () => {
    const [failure] = userErrors(await execute({ input: { accountId: account.id, userId: member.userId } }))
    if (failure) setError(failure.message)
    else if (isSelf) location.assign('/')
    else onClose(true)
  }
  return (
    <FormDialog
      open
      title={isSelf ? t('members.leaveQuestion', { account: account.name }) : t('members.removeQuestion', member)}
      text={t('members.removeText')}
      error={error}
      onClose={() => onClose(false)}
      onSubmit={() => void submit()}
      actions={
        <>
          <Button onClick={() => onClose(false)}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" color="error" autoFocus disabled={fetching}>
            {isSelf ? t('members.leave') : t('members.remove')}
          </Button>
        </>
      }
    />
  )
}
