import { Button, OutlinedInput, Select } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { Field } from '@/shared/components/Field'
import { FormDialog } from '@/shared/components/FormDialog'
import { SecretDialog } from '@/shared/components/SecretDialog'
import { byField, userErrors, type UserError } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { showToast } from '@/shared/toast'
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
  const { errorOf, general } = byField(errors, ['email'])
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
      <SecretDialog
        title={t('members.linkTitle')}
        text={t('members.linkText', { email: email.trim() })}
        secret={link}
        copyLabel={t('members.linkCopy')}
        doneLabel={t('members.linkDone')}
        onDone={onClose}
      />
    )
  }
  return (
    <FormDialog
      open
      title={t('members.invite')}
      text={t('members.inviteText')}
      error={general}
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
      <Field label={t('signIn.email')} error={errorOf('email')}>
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
