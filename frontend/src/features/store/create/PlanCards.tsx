import { Box } from '@mui/material'
import { Fragment } from 'react'
import { ChoiceCards } from '@/shared/components/ChoiceCards'
import { muted } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import type { Engine, Plan } from '@/features/stores/documents'
import { planText } from '@/features/stores/plans'

interface EngineCardsProps {
  engines: Engine[]
  value: Engine['name']
  error: string | undefined
  onChange: (engine: Engine['name']) => void
}

export function EngineCards({ engines, value, error, onChange }: EngineCardsProps) {
  return (
    <ChoiceCards
      label={t('create.engine')}
      name="engine"
      value={value}
      error={error}
      onChange={onChange}
      columns={2}
      choices={engines.map(({ name, title, description, available }) => ({
        value: name,
        disabled: !available,
        body: (
          <Box sx={{ color: available ? vars.text : vars.textTertiary, pr: 5 }}>
            <Box sx={{ fontWeight: 550 }}>{title}</Box>
            <Box sx={{ ...muted, color: 'inherit', opacity: 0.85 }}>{available ? description : t('create.later')}</Box>
          </Box>
        ),
      }))}
    />
  )
}

interface PlanCardsProps {
  plans: Plan[]
  value: Plan['name']
  error?: string | undefined
  /** Why a plan can't be chosen. */
  unavailable?: (plan: Plan) => string | undefined
  onChange: (plan: Plan['name']) => void
}

export function PlanCards({ plans, value, error, unavailable, onChange }: PlanCardsProps) {
  return (
    <ChoiceCards
      label={t('create.plan')}
      name="plan"
      value={value}
      error={error}
      onChange={onChange}
      columns={3}
      choices={plans.map((plan) => {
        const reason = unavailable?.(plan)
        return { value: plan.name, disabled: reason !== undefined, body: <PlanBody plan={plan} reason={reason} /> }
      })}
    />
  )
}

function PlanBody({ plan, reason }: { plan: Plan; reason: string | undefined }) {
  return (
    <Box sx={{ color: reason ? vars.textTertiary : vars.text }}>
      <Box sx={{ fontWeight: 550, mb: 2 }}>{plan.title}</Box>
      <Box component="dl" sx={gives}>
        {(['cpu', 'memory', 'disk'] as const).map((part) => (
          <Fragment key={part}>
            <dt>{t(`plan.${part}`)}</dt>
            <dd>{planText(plan)[part]}</dd>
          </Fragment>
        ))}
      </Box>
      {reason && <Box sx={{ mt: 2, fontSize: '0.75rem' }}>{reason}</Box>}
    </Box>
  )
}

const gives = {
  m: 0,
  display: 'grid',
  gridTemplateColumns: 'auto 1fr',
  columnGap: 3,
  rowGap: 0.5,
  fontSize: '0.8125rem',
  '& dt': { color: vars.textTertiary },
  '& dd': { m: 0, textAlign: 'end' },
}
