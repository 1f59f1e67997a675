import { Button, OutlinedInput } from '@mui/material'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { useMutation } from 'urql'
import { CopyAs } from '@/shared/components/CopyAs'
import { Field } from '@/shared/components/Field'
import { FormDialog } from '@/shared/components/FormDialog'
import { userErrors } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { DeleteStore, type StoreDetail } from '@/features/store/documents'

/** Whether somebody typed a store's name; outer blanks and the way of composing letters don't matter. */
export const isSameName = (typed: string, name: string) =>
  typed.normalize('NFC').trim() === name.normalize('NFC').trim()

/** Asks for the store's name before it is deleted for good. */
export function DeleteDialog({ store, onClose }: { store: StoreDetail; onClose: () => void }) {
  const navigate = useNavigate()
  const [typed, setTyped] = useState('')
  const [error, setError] = useState<string>()
  const [idempotencyKey] = useState(() => crypto.randomUUID())
  const [{ fetching }, execute] = useMutation(DeleteStore)
  const same = isSameName(typed, store.name)
  const submit = async () => {
    if (!same) return
    const [failure] = userErrors(await execute({ input: { id: store.id, idempotencyKey } }))
    if (failure) return setError(failure.message)
    onClose()
    void navigate(`/stores/${store.slug}`)
  }
  return (
    <FormDialog
      open
      title={t('delete.question', { name: store.name })}
      text={t('delete.consequence')}
      error={error}
      onClose={onClose}
      onSubmit={() => void submit()}
      aside={<CopyAs document={DeleteStore} variables={{ input: { id: store.id } }} />}
      actions={
        <>
          <Button onClick={onClose}>{t('delete.keep')}</Button>
          <Button type="submit" variant="contained" color="error" disabled={!same || fetching}>
            {t('delete.confirm')}
          </Button>
        </>
      }
    >
      <Field label={t('delete.typeName', { name: store.name })}>
        {(control) => (
          <OutlinedInput
            autoFocus
            value={typed}
            placeholder={store.name}
            onChange={(event) => setTyped(event.target.value)}
            inputProps={{ ...control, autoComplete: 'off', spellCheck: false }}
          />
        )}
      </Field>
    </FormDialog>
  )
}
