import { expect, test } from 'vitest'
import { de } from './de'
import { en } from './en'
import { rich, t, type Message, type MessageKey } from '.'

const sources = Object.entries(
  import.meta.glob<string>(['/src/**/*.{ts,tsx}', '!/src/shared/i18n/texts/*.ts'], {
    query: '?raw',
    import: 'default',
    eager: true,
  }),
).map(([, text]) => text)
const textFiles = Object.entries(
  import.meta.glob<Record<string, object>>('/src/shared/i18n/texts/*.ts', { eager: true }),
)
const placeholders = (message: Message) => {
  const text = typeof message === 'string' ? message : message.other
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort()
}

test('German has the placeholders of the English texts', () => {
  for (const key of Object.keys(en) as MessageKey[])
    expect([key, placeholders(de[key])]).toEqual([key, placeholders(en[key])])
})

test.each(['en', 'de'])('each file of texts is in the catalogue, and no key is in two of them: %s', (language) => {
  const keys = textFiles
    .filter(([path]) => path.endsWith(`.${language}.ts`))
    .flatMap(([, file]) => Object.values(file).flatMap(Object.keys))
  expect(keys.sort()).toEqual(Object.keys(en).sort())
})

test('each text is used', () => {
  const code = sources.join('\n')
  const quoted = new Set([...code.matchAll(/'([a-z][\w]*(?:\.[\w.]+)?)'/gi)].map(([, key]) => key))
  // `state.${state}`, `statusCard.${state}Text`, `${kind}.question`
  const patterns = [...code.matchAll(/`((?:[\w.]|\$\{[^}`]+\})+)`/g)]
    .map(([, template = '']) => template.replace(/\$\{[^}]+\}/g, '*'))
    .filter((template) => /[a-z]/i.test(template) && template.includes('.') && template.includes('*'))
    .map((template) => new RegExp(`^${template.replaceAll('.', '\\.').replaceAll('*', '[\\w.]+')}$`))
  const unused = Object.keys(en).filter((key) => !quoted.has(key) && !patterns.some((pattern) => pattern.test(key)))
  expect(unused).toEqual([])
})

test('values are filled in, with the plural and in the order of the text', () => {
  expect(t('limits.more', { count: 1 })).toBe('One more can be created')
  expect(t('limits.more', { count: 1200 })).toBe('1,200 more can be created')
  expect(rich('limits.used', { used: 'A', limit: 'B' })).toHaveLength(4 + 1)
})
