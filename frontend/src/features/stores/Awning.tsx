import { vars } from '@/shared/tokens'
import { useNow } from '@/shared/time'
import css from './Awning.module.css'
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
/** Heights as parts of the whole. A running stripe never looks done. */
const ROLLED_UP = 0.34
const FAILED = 0.66
const ALMOST = 0.94

function heightOf(kind: Stripe, step: ShownStep, now: number, perStep: number, index: number) {
  if (kind === 'done') return 1
  if (kind === 'failed') return FAILED
  if (kind === 'pending') return ROLLED_UP
  const part = step.startedAt === null ? 0 : Math.min(1, (now - step.startedAt) / (step.usualMs ?? 5_000))
  return Math.max(ROLLED_UP, Math.min(1, part * perStep - index) * ALMOST)
}

interface AwningProps {
  steps: ShownStep[]
  /** All stripes alike: down when the shop is open, rolled up when it is closed. */
  whole?: 'done' | 'pending' | undefined
  mini?: boolean
}

/**
 * The awning over a shop: it rolls down a step at a time. The words beside it say the same, so it is hidden from
 * screen readers.
 */
export function Awning({ steps, whole, mini = false }: AwningProps) {
  const now = useNow(mini ? 1000 : 100, whole === undefined && steps.some(({ status }) => status === 'RUNNING'))
  const perStep = mini ? 1 : 4
  const height = mini ? 13 : 28
  return (
    <span aria-hidden className={mini ? css.mini : css.awning}>
      {steps.flatMap((step, i) =>
        Array.from({ length: perStep }, (_, k) => {
          const kind = whole ?? STRIPE_OF[step.status]
          const part = heightOf(kind, step, now, perStep, k)
          return (
            <span
              key={`${step.name}-${k}`}
              className={kind === 'running' && mini ? css.running : undefined}
              style={{
                height: Math.max(mini ? 5 : 0, height * part),
                backgroundColor: COLOURS[kind][mini ? 0 : (i * perStep + k) % 2],
              }}
            />
          )
        }),
      )}
    </span>
  )
}
