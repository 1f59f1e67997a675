import { Button } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { Field } from '@/shared/components/Field'
import { FormDialog } from '@/shared/components/FormDialog'
import { PasswordInput } from '@/shared/components/PasswordInput'
import { byField, userErrors, type UserError } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { showToast } from '@/shared/toast'
import { ChangePassword, SessionsQuery } from './documents'

/** Changes one's own password. A session that began with a sign-in link doesn't need the current one. */
export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const [currentPassword, setCurrent] = useState('')
  const [newPassword, setNew] = useState('')
  const [errors, setErrors] = useState<UserError[]>([])
  const [{ fetching }, execute] = useMutation(ChangePassword)
  const { data } = useData({ query: SessionsQuery, variables: { first: 100 } })
  const optional = data?.viewer?.sessionsConnection.nodes.find(({ current }) => current)?.passwordOptional ?? false
  const [idempotencyKey] = useState(() => crypto.randomUUID())
  const { errorOf, general } = byField(errors, ['currentPassword', 'newPassword'])
  const input = { newPassword, idempotencyKey, ...(optional ? {} : { currentPassword }) }
  const submit = async () => {
    const failures = userErrors(await execute({ input }))
    setErrors(failures)
    if (failures.length > 0) return
    showToast({ text: t('password.changed') })
    onClose()
  }
  return (
    <FormDialog
      open
      title={t('password.title')}
      text={t('password.text')}
      error={general}
      onClose={onClose}
      onSubmit={() => void submit()}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button
            type="submit"
            variant="contained"
            color="primary"
            disabled={fetching || (!optional && currentPassword === '') || newPassword === ''}
          >
            {t('password.open')}
          </Button>
        </>
      }
    >
      {!optional && (
        <Field label={t('password.current')} error={errorOf('currentPassword')}>
          {(control) => (
            <PasswordInput
              control={{ ...control, autoFocus: true }}
              value={currentPassword}
              onChange={setCurrent}
              autoComplete="current-password"
            />
          )}
        </Field>
      )}
      <Field label={t('password.new')} hint={t('signUp.passwordHint')} error={errorOf('newPassword')}>
        {(control) => (
          <PasswordInput control={control} value={newPassword} onChange={setNew} autoComplete="new-password" />
        )}
      </Field>
    </FormDialog>
  )
}
