import { Button } from '@mui/material'
import { useState } from 'react'
import { Field } from '@/shared/components/Field'
import { FormDialog } from '@/shared/components/FormDialog'
import { PasswordInput } from '@/shared/components/PasswordInput'
import { readAgain, signedOut } from '@/shared/graphql/connection'
import { t } from '@/shared/i18n'
import { signIn } from './auth'
import { IdentityProviderButton } from './IdentityProviderButton'

/** The session has ended: asks for the password above the page, so that what was typed there stays. */
export function SignInAgain({ email, userId }: { email: string; userId: string }) {
  const [password, setPassword] = useState('')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const submit = async () => {
    setBusy(true)
    const result = await signIn(email, password)
    setBusy(false)
    if (!result.ok) return setError(result.error.message)
    if (result.userId !== userId) return location.assign('/')
    signedOut.set(false)
    readAgain()
  }
  return (
    <FormDialog
      open
      title={t('session.endedTitle')}
      text={t('session.endedText', { email })}
      error={error}
      onClose={() => undefined}
      onSubmit={() => void submit()}
      actions={
        <>
          <Button onClick={() => location.assign('/sign-in')}>{t('session.other')}</Button>
          <Button type="submit" variant="contained" color="primary" disabled={busy || password === ''}>
            {t('signIn.submit')}
          </Button>
        </>
      }
    >
      <Field label={t('signIn.password')}>
        {(control) => (
          <PasswordInput
            control={{ ...control, autoFocus: true }}
            value={password}
            onChange={(value) => {
              setPassword(value)
              setError(undefined)
            }}
            autoComplete="current-password"
          />
        )}
      </Field>
      <IdentityProviderButton next={location.pathname + location.search} />
    </FormDialog>
  )
}
