import { apiText } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import type { Engine, Store } from './documents'

export type Tone = 'ready' | 'busy' | 'warn' | 'bad' | 'idle'
export const TONES: Record<Tone, { fg: string; bg: string; border: string }> = {
  ready: { fg: vars.readyFg, bg: vars.readyBg, border: vars.readyBorder },
  busy: { fg: vars.busyFg, bg: vars.busyBg, border: vars.busyBorder },
  warn: { fg: vars.warnFg, bg: vars.warnBg, border: vars.warnBorder },
  bad: { fg: vars.badFg, bg: vars.badBg, border: vars.badBorder },
  idle: { fg: vars.idleFg, bg: vars.idleBg, border: vars.idleBorder },
}

/** The parts of the list, in their order. */
export const GROUPS = ['attention', 'progress', 'open', 'closed'] as const
export type Group = (typeof GROUPS)[number]

/** A store's status, and its health while it is READY, as one word. */
export type DisplayState =
  | 'requested'
  | 'provisioning'
  | 'updating'
  | 'resuming'
  | 'suspending'
  | 'ready'
  | 'degraded'
  | 'down'
  | 'failed'
  | 'suspended'
  | 'deleting'
  | 'deleted'

export const DISPLAY: Record<DisplayState, { tone: Tone; group: Group }> = {
  requested: { tone: 'idle', group: 'progress' },
  provisioning: { tone: 'busy', group: 'progress' },
  updating: { tone: 'busy', group: 'progress' },
  resuming: { tone: 'busy', group: 'progress' },
  suspending: { tone: 'busy', group: 'progress' },
  ready: { tone: 'ready', group: 'open' },
  degraded: { tone: 'warn', group: 'attention' },
  down: { tone: 'bad', group: 'attention' },
  failed: { tone: 'bad', group: 'attention' },
  suspended: { tone: 'idle', group: 'closed' },
  deleting: { tone: 'idle', group: 'progress' },
  deleted: { tone: 'idle', group: 'closed' },
}

const HEALTH = { HEALTHY: 'ready', DEGRADED: 'degraded', DOWN: 'down' } as const

/** The only place that maps status and health to what is shown. */
export function displayState({ status, health }: Pick<Store, 'status' | 'health'>): DisplayState {
  if (status === 'READY') return HEALTH[health?.state ?? 'HEALTHY']
  return status.toLowerCase() as DisplayState
}
export const groupOf = (store: Pick<Store, 'status' | 'health'>): Group => DISPLAY[displayState(store)].group
export const toneOf = (store: Pick<Store, 'status' | 'health'>): Tone => DISPLAY[displayState(store)].tone

/** Whether steps are under way. */
export const isMoving = (store: Pick<Store, 'status' | 'health'>) => toneOf(store) === 'busy'

export interface ShownStep {
  name: string
  title: string
  status: Store['steps'][number]['status']
  /** Median of this installation's last stores in ms; null if unknown. */
  usualMs: number | null
  startedAt: number | null
  finishedAt: number | null
  message: string | null
}

const time = (at: string | null) => (at === null ? null : Date.parse(at))

/** A store's steps with their titles; `number` counts from 1 and is that of the step under way, or of the failed one. */
export function progressOf(store: Pick<Store, 'steps'>, engine: Engine | undefined) {
  const known = new Map(engine?.steps.map((step) => [step.name, step]))
  const steps = store.steps.map<ShownStep>((step) => ({
    name: step.name,
    title: apiText(known.get(step.name)?.title ?? step.name),
    usualMs: known.get(step.name)?.usualMs ?? null,
    status: step.status,
    startedAt: time(step.startedAt),
    finishedAt: time(step.finishedAt),
    message: step.message && apiText(step.message),
  }))
  const open = steps.findIndex(({ status }) => status === 'RUNNING' || status === 'FAILED')
  const next = open >= 0 ? open : steps.findIndex(({ status }) => status === 'PENDING')
  const at = next >= 0 ? next : steps.length - 1
  return {
    steps,
    total: steps.length,
    done: steps.filter(({ status }) => status === 'SUCCEEDED').length,
    current: steps[at],
    number: at + 1,
  }
}

export const addressOf = (store: { url: string }) => store.url.replace(/^https?:\/\//, '').replace(/\/$/, '')
