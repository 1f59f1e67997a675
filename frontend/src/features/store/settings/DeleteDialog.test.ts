import { expect, test } from 'vitest'
import { isSameName } from './DeleteDialog'

test('a name is compared as people read it', () => {
  expect(isSameName(' Cafe\u0301 ', 'Caf\u00e9')).toBe(true)
  expect(isSameName('cafe', 'Café')).toBe(false)
})
