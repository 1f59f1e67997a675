import { expect, test } from 'vitest'
import type { StoreEvent } from './documents'
import { mergeEvents } from './useStoreEvents'

const event = (cursor: string, at: string) => ({ cursor, at }) as StoreEvent
const cursors = (events: StoreEvent[]) => events.map(({ cursor }) => cursor)

test('events are the latest first, without repeats, in their own order within a moment', () => {
  const page = mergeEvents([], [event('1', '2026-01-01T00:00:00Z'), event('2', '2026-01-01T00:00:00Z')])
  expect(cursors(page)).toEqual(['2', '1'])
  const live = mergeEvents(page, [event('3', '2026-01-01T00:00:00Z')])
  expect(cursors(mergeEvents(live, [event('3', '2026-01-01T00:00:00Z')]))).toEqual(['3', '2', '1'])
  expect(cursors(mergeEvents(live, [event('0', '2025-12-31T00:00:00Z')]))).toEqual(['3', '2', '1', '0'])
})
