import { expect, test } from 'vitest'
import { safeNext } from './SignIn'
import { linkToken } from './SignInLink'

test('after signing in, one stays on this origin', () => {
  expect(safeNext('/stores/a?b=c')).toBe('/stores/a?b=c')
  for (const elsewhere of [
    null,
    '',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'https://evil.example',
    'javascript:alert(1)',
  ]) {
    expect(safeNext(elsewhere)).toBe('/')
  }
})

test("a link's token is read from the fragment", () => {
  expect(linkToken('#token=abc')).toBe('abc')
  expect(linkToken('#other')).toBeNull()
})
