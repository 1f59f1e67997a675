import { Button } from '@mui/material'
import { useState } from 'react'
import { useMutation } from 'urql'
import { CopyAs } from '@/shared/components/CopyAs'
import { FormDialog } from '@/shared/components/FormDialog'
import { userErrors, type UserError } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { useEngines } from '@/features/stores/useEngines'
import type { Plan } from '@/features/stores/documents'
import { PlanCards } from '@/features/store/create/PlanCards'
import { ChangePlan, type StoreDetail } from '@/features/store/documents'

/** Asks for another plan. A disk can't shrink; only a store whose update failed may go back, which the API decides. */
export function PlanDialog({ store, onClose }: { store: StoreDetail; onClose: () => void }) {
  const { plans, planOf } = useEngines()
  const [plan, setPlan] = useState(store.plan)
  const [error, setError] = useState<UserError>()
  const [idempotencyKey, setIdempotencyKey] = useState(() => crypto.randomUUID())
  const [{ fetching }, execute] = useMutation(ChangePlan)
  const current = planOf(store.plan)
  const unavailable = ({ disk }: Plan) =>
    store.status === 'READY' && current && disk < current.disk ? t('plan.smallerDisks') : undefined
  const choose = (name: Plan['name']) => {
    setPlan(name)
    setError(undefined)
    setIdempotencyKey(crypto.randomUUID())
  }
  const submit = async () => {
    if (plan === store.plan || fetching) return
    const [failure] = userErrors(await execute({ input: { id: store.id, plan, idempotencyKey } }))
    if (failure) return setError(failure)
    onClose()
  }
  return (
    <FormDialog
      open
      width={600}
      title={t('plan.question', { name: store.name })}
      text={t('plan.consequence')}
      error={error?.field === 'plan' ? undefined : error?.message}
      onClose={onClose}
      onSubmit={() => void submit()}
      aside={<CopyAs document={ChangePlan} variables={{ input: { id: store.id, plan } }} />}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" color="primary" disabled={plan === store.plan || fetching}>
            {t('plan.confirm')}
          </Button>
        </>
      }
    >
      <PlanCards
        plans={plans}
        value={plan}
        error={error?.field === 'plan' ? error.message : undefined}
        unavailable={unavailable}
        onChange={choose}
      />
    </FormDialog>
  )
}
