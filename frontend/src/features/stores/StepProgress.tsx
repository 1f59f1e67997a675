import { vars } from '@/shared/tokens'
import { useNow } from '@/shared/time'
import css from './StepProgress.module.css'
import type { ShownStep } from './state'

type Stripe = 'done' | 'running' | 'pending' | 'failed'
const STRIPE_OF: Record<ShownStep['status'], Stripe> = {
  SUCCEEDED: 'done',
  RUNNING: 'running',
  PENDING: 'pending',
  FAILED: 'failed',
}
const COLOURS: Record<Stripe, [string, string]> = {
  done: [vars.stripe, vars.stripePale],
  running: [vars.stripe, vars.stripePale],
  pending: [vars.borderStrong, vars.border],
  failed: [vars.badFg, vars.badBorder],
}
/** Heights as parts of the full height. A running stripe never looks done. */
const PENDING_HEIGHT = 0.34
const FAILED = 0.66
const MAX_RUNNING_HEIGHT = 0.94

function heightOf(kind: Stripe, step: ShownStep, now: number, perStep: number, index: number) {
  if (kind === 'done') return 1
  if (kind === 'failed') return FAILED
  if (kind === 'pending') return PENDING_HEIGHT
  const part = step.startedAt === null ? 0 : Math.min(1, (now - step.startedAt) / (step.usualMs ?? 5_000))
  return Math.max(PENDING_HEIGHT, Math.min(1, part * perStep - index) * MAX_RUNNING_HEIGHT)
}

interface StepProgressProps {
  steps: ShownStep[]
  /** All stripes alike: long when the shop is open, short when it is closed. */
  all?: 'done' | 'pending' | undefined
  compact?: boolean
}

/**
 * The progress of a store's steps, drawn as the awning of a shop: a step has four stripes (`compact`: one), which grow
 * while it runs. The text beside it says the same, so it is hidden from screen readers.
 */
export function StepProgress({ steps, all, compact = false }: StepProgressProps) {
  const now = useNow(compact ? 1000 : 100, all === undefined && steps.some(({ status }) => status === 'RUNNING'))
  const perStep = compact ? 1 : 4
  const height = compact ? 13 : 28
  return (
    <span aria-hidden className={compact ? css.compact : css.bar}>
      {steps.flatMap((step, i) =>
        Array.from({ length: perStep }, (_, k) => {
          const kind = all ?? STRIPE_OF[step.status]
          const part = heightOf(kind, step, now, perStep, k)
          return (
            <span
              key={`${step.name}-${k}`}
              className={kind === 'running' && compact ? css.running : undefined}
              style={{
                height: Math.max(compact ? 5 : 0, height * part),
                backgroundColor: COLOURS[kind][compact ? 0 : (i * perStep + k) % 2],
              }}
            />
          )
        }),
      )}
    </span>
  )
}
