import { Button } from '@mui/material'
import { useState } from 'react'
import { useMutation, type TypedDocumentNode } from 'urql'
import { CopyAs } from '@/shared/components/CopyAs'
import { FormDialog } from '@/shared/components/FormDialog'
import { userErrors, type Payload } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { showToast } from '@/shared/toast'
import type { StoreDetail } from '@/features/store/documents'

type StoreMutation = TypedDocumentNode<
  Record<string, Payload>,
  { input: { id: string; idempotencyKey?: string | null } }
>

interface ConfirmDialogProps {
  kind: 'suspend' | 'resume' | 'rotate'
  document: unknown
  store: StoreDetail
  onClose: () => void
}

/** Asks before a mutation that takes the store's id; a second click repeats the same request. */
export function ConfirmDialog({ kind, document, store, onClose }: ConfirmDialogProps) {
  const mutation = document as StoreMutation
  const [{ fetching }, execute] = useMutation(mutation)
  const [idempotencyKey] = useState(() => crypto.randomUUID())
  const [error, setError] = useState<string>()
  const submit = async () => {
    const [failure] = userErrors(await execute({ input: { id: store.id, idempotencyKey } }))
    if (failure) return setError(failure.message)
    if (kind === 'rotate') showToast({ text: t('rotate.started') })
    onClose()
  }
  return (
    <FormDialog
      open
      title={t(`${kind}.question`, { name: store.name })}
      text={t(`${kind}.consequence`)}
      error={error}
      onClose={onClose}
      onSubmit={() => void submit()}
      aside={<CopyAs document={mutation} variables={{ input: { id: store.id } }} />}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" color="primary" autoFocus disabled={fetching}>
            {t(`${kind}.confirm`)}
          </Button>
        </>
      }
    />
  )
}
