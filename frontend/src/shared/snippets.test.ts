import { expect, test } from 'vitest'
import { snippet } from './snippets'

const request = {
  url: 'https://fleet.example/graphql',
  query: 'mutation { a }',
  variables: { input: { name: `It's "true"`, expiresAt: null } },
}

test('curl quotes for a POSIX shell', () => {
  expect(snippet('curl', request)).toContain(String.raw`{"name":"It'\''s \"true\"","expiresAt":null}`)
})

test('Python has its own words for null and true, but not inside of strings', () => {
  const code = snippet('Python', request)
  expect(code).toContain(String.raw`"name": "It's \"true\""`)
  expect(code).toContain('"expiresAt": None')
})

test('JavaScript is a program', () => {
  const body = snippet('JavaScript', request).replace(/await /g, '')
  expect(() => new Function('fetch', 'process', 'console', body)).not.toThrow()
})
