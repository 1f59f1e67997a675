import { Box, Button, OutlinedInput, Select } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { CopyButton } from '@/shared/components/CopyButton'
import { Field } from '@/shared/components/Field'
import { FormDialog } from '@/shared/components/FormDialog'
import { userErrors, type UserError } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { showToast } from '@/shared/toast'
import { mono, v } from '@/shared/tokens'
import { useSession } from '@/features/session/viewer'
import { InviteMember } from './documents'
import { ROLES, type Role } from './roles'

/** Invites a person; the link is shown once. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const { account } = useSession()
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('ADMIN')
  const [link, setLink] = useState<string | null>(null)
  const [errors, setErrors] = useState<UserError[]>([])
  const [idempotencyKey] = useState(() => crypto.randomUUID())
  const [{ fetching }, execute] = useMutation(InviteMember)
  const emailError = errors.find(({ field }) => field === 'email')?.message
  const general = errors.find(({ field }) => field !== 'email')
  const submit = async () => {
    const result = await execute({ input: { accountId: account.id, email: email.trim(), role, idempotencyKey } })
    setErrors(userErrors(result))
    const made = result.data?.inviteMember
    if (made?.link) setLink(made.link)
    else if (made?.invitation) {
      if (made.mailed) showToast({ text: t('members.mailed', { email: email.trim() }) })
      onClose()
    }
  }
  if (link !== null) {
    return (
      <FormDialog
        open
        title={t('members.linkTitle')}
        text={t('members.linkText', { email: email.trim() })}
        onClose={() => undefined}
        onSubmit={onClose}
        actions={
          <Button type="submit" variant="contained" color="primary">
            {t('members.linkDone')}
          </Button>
        }
      >
        <Box sx={{ display: 'flex', alignItems: 'center', gap: 2, p: 3, borderRadius: '8px', bgcolor: v.sunken }}>
          <Box component="code" sx={{ fontFamily: mono, flex: 1, overflowWrap: 'anywhere' }}>
            {link}
          </Box>
          <CopyButton text={link} label={t('members.linkCopy')} />
        </Box>
      </FormDialog>
    )
  }
  return (
    <FormDialog
      open
      title={t('members.invite')}
      text={t('members.inviteText')}
      error={general?.message}
      onClose={onClose}
      onSubmit={() => void submit()}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" color="primary" disabled={fetching || email.trim() === ''}>
            {t('members.makeLink')}
          </Button>
        </>
      }
    >
      <Field label={t('signIn.email')} error={emailError}>
        {(control) => (
          <OutlinedInput
            type="email"
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.target.value)}
            inputProps={{ ...control, autoComplete: 'off' }}
          />
        )}
      </Field>
      <Field label={t('account.role')} hint={t(`members.may${role}`)}>
        {(control) => (
          <Select native value={role} onChange={(event) => setRole(event.target.value)} inputProps={control}>
            {ROLES.filter((one) => account.role === 'OWNER' || one !== 'OWNER').map((one) => (
              <option key={one} value={one}>
                {t(`role.${one}`)}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </FormDialog>
  )
}
