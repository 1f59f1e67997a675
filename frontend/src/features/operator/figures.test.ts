import { expect, test } from 'vitest'
import { resources, slowestSteps, statusBars, stepBars } from './figures'

const step = (name: string, medianMs: number, p95Ms = medianMs) => ({ name, medianMs, p95Ms })
const engine = (name: string, ...steps: ReturnType<typeof step>[]) =>
  ({ engine: name, medianMs: 0, p95Ms: 0, stores: 1, steps }) as Parameters<typeof stepBars>[0]

test('bars of statuses: those that stores have, beside the longest', () => {
  expect(
    statusBars([
      { status: 'READY', stores: 8 },
      { status: 'FAILED', stores: 2 },
      { status: 'DELETED', stores: 0 },
    ]).map(({ status, bar }) => [status, bar.size]),
  ).toEqual([
    ['READY', 1],
    ['FAILED', 0.25],
  ])
  expect(statusBars([{ status: 'READY', stores: 0 }])).toEqual([])
})

test('the steps of an engine fill one bar, without gaps', () => {
  const bars = stepBars(engine('WOOCOMMERCE', step('database', 1000), step('install', 2500), step('proof', 500)))
  expect(bars.map(({ bar }) => [bar.from, bar.size])).toEqual([
    [0, 0.25],
    [0.25, 0.625],
    [0.875, 0.125],
  ])
  expect(stepBars(engine('MEDUSAJS', step('database', 0)))[0]?.bar).toEqual({ from: 0, size: 0 })
})

test('the slowest steps come first, over all engines', () => {
  const times = [
    engine('WOOCOMMERCE', step('database', 10, 900), step('install', 20, 30)),
    engine('MEDUSAJS', step('web', 5, 950)),
  ]
  expect(slowestSteps(times, 2).map(({ name }) => name)).toEqual(['web', 'database'])
})

test('resources are in cores and GiB', () => {
  const capacity = {
    cluster: 'main', nodes: 2, stores: 3, allocatableCpu: 16_000, requestedCpu: 600, allocatableMemory: 65_536,
    requestedMemory: 1536, allocatablePods: 220, requestedPods: 6, recordedAt: '2026-11-29T12:00:00Z',
  } // prettier-ignore
  expect(resources(capacity).map(({ used, limit }) => [used, limit])).toEqual([
    [0.6, 16],
    [1.5, 64],
    [6, 220],
  ])
})
