import { expect, test } from 'vitest'
import { matchScore } from './match'

test('a beginning is better than a word, a word than a part, a part than scattered letters', () => {
  const scores = ['fig tree', 'my fig', 'config', 'f-i-g', 'gif'].map((text) => matchScore(text, 'fig'))
  expect(scores).toEqual([...scores].sort((a, b) => b - a))
  expect(scores.at(-1)).toBe(0)
})
