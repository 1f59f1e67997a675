import type { Capacity, EngineTimes, StatusCount } from './documents'

export interface Bar {
  /** Of the whole, from 0 to 1. */
  from: number
  size: number
}

/** Statuses that stores have, and the length of their bars beside the longest. */
export function statusBars(counts: StatusCount[]) {
  const most = Math.max(0, ...counts.map(({ stores }) => stores))
  return counts
    .filter(({ stores }) => stores > 0)
    .map((count) => ({ ...count, bar: { from: 0, size: count.stores / most } }))
}

/** The steps of an engine as parts of one bar, as long as their medians. */
export function stepBars({ steps }: EngineTimes) {
  const whole = steps.reduce((sum, { medianMs }) => sum + medianMs, 0) || 1
  const before = steps.map((_, i) => steps.slice(0, i).reduce((sum, { medianMs }) => sum + medianMs, 0))
  return steps.map((step, i) => ({ ...step, bar: { from: (before[i] ?? 0) / whole, size: step.medianMs / whole } }))
}

/** The slowest steps of all engines first, by what one store of twenty exceeds. */
export const slowestSteps = (times: EngineTimes[], count: number) =>
  times
    .flatMap(({ engine, steps }) => steps.map((step) => ({ engine, ...step })))
    .sort((a, b) => b.p95Ms - a.p95Ms)
    .slice(0, count)

/** What is asked for and what there is, of each resource, in the units that people read. */
export const resources = (capacity: Capacity) => [
  { name: 'cpu' as const, used: capacity.requestedCpu / 1000, limit: capacity.allocatableCpu / 1000 },
  { name: 'memory' as const, used: capacity.requestedMemory / 1024, limit: capacity.allocatableMemory / 1024 },
  { name: 'pods' as const, used: capacity.requestedPods, limit: capacity.allocatablePods },
]
