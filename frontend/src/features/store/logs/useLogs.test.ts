import { expect, test } from 'vitest'
import type { LogLine } from '@/features/store/documents'
import { levelOf } from './LogLine'
import { appendLines } from './useLogs'

const line = (text: string, second: number): LogLine => ({
  kind: 'LINE',
  line: text,
  pod: 'web-1',
  at: `2026-11-29T12:00:${String(second).padStart(2, '0')}Z`,
})

test('lines that come again after a lost connection are shown once', () => {
  const before = appendLines([], [line('a', 1), line('b', 2)])
  const after = appendLines(before, [line('a', 1), line('b', 2), line('b', 3)])
  expect(after.map(({ line: text, number }) => `${number}${text}`)).toEqual(['1a', '2b', '3b'])
  expect(appendLines(after, [line('b', 3)])).toBe(after)
})

test('the last 2,000 lines are kept, and numbers go on', () => {
  const many = Array.from({ length: 2_500 }, (_, i) => line(`line ${i}`, i % 60))
  const kept = appendLines([], many)
  expect(kept).toHaveLength(2_000)
  expect(kept.at(-1)?.number).toBe(2_500)
})

test('the colour of a line follows its words and its HTTP status', () => {
  expect(levelOf('PHP Fatal error: no memory')).toBe('bad')
  expect(levelOf('"GET /cart HTTP/1.1" 503 12')).toBe('bad')
  expect(levelOf('"GET /.env HTTP/1.1" 404 162')).toBe('warn')
  expect(levelOf('"GET / HTTP/1.1" 200 5000')).toBe('plain')
})
