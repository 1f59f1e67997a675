import { expect, test } from 'vitest'
import { store } from '@/testing/api'
import type { Engine, Store } from './documents'
import { displayState, groupOf, progressOf } from './state'
import { groupStores } from './StoreList'

const some = (part: object) => store(part) as unknown as Store
const health = (state: string) => ({ state, cause: null, since: '2026-11-29T12:00:00Z' })

test.each([
  [{ status: 'READY', health: health('HEALTHY') }, 'ready', 'open'],
  [{ status: 'READY', health: health('DEGRADED') }, 'degraded', 'attention'],
  [{ status: 'READY', health: health('DOWN') }, 'down', 'attention'],
  [{ status: 'FAILED', health: health('HEALTHY') }, 'failed', 'attention'],
  [{ status: 'UPDATING', health: health('DOWN') }, 'updating', 'progress'],
  [{ status: 'SUSPENDED' }, 'suspended', 'closed'],
  [{ status: 'DELETING' }, 'deleting', 'progress'],
])('%o is shown as %s, in the group %s', (part, state, group) => {
  expect(displayState(some(part))).toBe(state)
  expect(groupOf(some(part))).toBe(group)
})

test('a store that somebody is about to use stays in its group', () => {
  const failed = some({ id: 'a', status: 'FAILED' })
  expect(groupStores([failed], null).map(({ group }) => group)).toEqual(['attention'])
  expect(groupStores([failed], { id: 'a', group: 'open' }).map(({ group }) => group)).toEqual(['open'])
})

test('progress counts from the step under way, and names steps as the engine does', () => {
  const [first, second, third] = some({}).steps
  const steps = [{ ...first, status: 'SUCCEEDED' }, { ...second, status: 'FAILED' }, third]
  const engine = { steps: [{ name: 'database', title: 'Starting the database', usualMs: 3100 }] } as Engine
  const progress = progressOf(some({ steps }), engine)
  expect([progress.number, progress.done, progress.total]).toEqual([2, 1, 3])
  expect(progress.current?.title).toBe('Starting the database')
  expect(progress.steps[2]?.title).toBe('proof')
})
