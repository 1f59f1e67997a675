import { act, renderHook } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'
import { guessCountry, guessLanguage } from './countries'
import { offeredEngine, toInput, useDraft } from './draft'

beforeEach(() => sessionStorage.clear())

function type(name: string) {
  const { result } = renderHook(() => useDraft('mira@example.com'))
  act(() => result.current.change({ name }))
  const send = () => {
    let key: string | null | undefined
    act(() => {
      key = result.current.withIdempotencyKey(toInput(result.current.draft, 'account-1')).idempotencyKey
    })
    return key
  }
  return { result, send }
}

test('the same input is sent under one key, also after a reload; another input under another key', () => {
  const first = type('Fig & Olive')
  const key = first.send()
  expect(first.send()).toBe(key)
  expect(type('Fig & Olive').send()).toBe(key)
  expect(type('Papaya Press').send()).not.toBe(key)
})

test('what is empty is not sent', () => {
  const { result } = type('  Fig & Olive ')
  act(() => result.current.change({ adminEmail: ' ' }))
  expect(toInput(result.current.draft, 'account-1')).not.toHaveProperty('adminEmail')
  expect(toInput(result.current.draft, 'account-1')).not.toHaveProperty('slug')
  expect(toInput(result.current.draft, 'account-1').name).toBe('Fig & Olive')
})

test('country and language are guessed from the browser', () => {
  expect(guessCountry(['de-AT', 'en'])).toBe('AT')
  expect(guessCountry(['xx'])).toBe('US')
  expect(guessLanguage(['en-US', 'de-DE', 'fr-FR'], 'AT', ['en'])).toBe('de-DE')
  expect(guessLanguage(['en-US', 'de-DE'], 'JP', ['de-CH'])).toBe('de-DE')
  expect(guessLanguage(['en-US'], 'JP', ['ja'])).toBe('en-US')
})

test('an engine that this installation does not offer is not sent', () => {
  const engines = [
    { name: 'WOOCOMMERCE' as const, available: false },
    { name: 'MEDUSA' as const, available: true },
  ]
  expect(offeredEngine(engines, 'WOOCOMMERCE')).toBe('MEDUSA')
  expect(offeredEngine(engines, 'MEDUSA')).toBe('MEDUSA')
  expect(offeredEngine([], 'WOOCOMMERCE')).toBe('WOOCOMMERCE')
})
