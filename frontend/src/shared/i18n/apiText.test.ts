import { expect, test } from 'vitest'
import { apiText, setApiTexts } from './apiText'
import { english, german } from './apiTexts.de'

test('a text of the API stays English where its translations are not loaded', () => {
  expect(apiText('Suspending the store.')).toBe('Suspending the store.')
})

test.each([
  ['Opening the shop', 'Den Shop öffnen'],
  ['Opening the shop.', 'Den Shop öffnen.'],
  [
    'Step 3 of 7 done in 1234.5 s: Isolating and limiting it.',
    /^Schritt 3 von 7 in 1,234.5 s erledigt: Den Shop abschirmen/,
  ],
  [
    "The image shop:1 of web can't be pulled: the registry doesn't have it. Check that it exists and may be pulled, then retry.",
    'Das Image shop:1 von web kann nicht geladen werden: Die Registry hat es nicht. Prüfen Sie, ob es existiert und geladen werden darf, und versuchen Sie es dann noch einmal.',
  ],
  [
    'The web container keeps crashing (exit code 1). PHP Fatal error. Tell the operator? See its logs, then retry.',
    'Der Container web stürzt immer wieder ab (Exit-Code 1). PHP Fatal error. Tell the operator? Sehen Sie sich seine Logs an, und versuchen Sie es dann noch einmal.',
  ],
  [
    "The web pod doesn't fit into the store's quota: 1 of 1 a in use, 1 more wanted; 1 of 1 b in use, 2 more wanted; and 2 more such limits. Choose a larger plan, or tell the operator and retry.",
    /Shops: 1 von 1 a belegt, 1 mehr gewünscht; 1 von 1 b belegt, .* und 2 weitere .* Wählen Sie einen größeren Tarif, oder sagen Sie es dem Betreiber, und versuchen/,
  ],
  ['The step "Opening the shop" failed: disk on fire.', 'Der Schritt „Den Shop öffnen“ ist gescheitert: disk on fire.'],
  ['The cluster refused: no. Call somebody.', 'Der Cluster hat abgelehnt: no. Call somebody.'],
  ['A text of a newer version. Retry.', 'A text of a newer version. Retry.'],
  ['1234.5 was requested.', '1234.5 wurde angefordert.'],
  ['', ''],
])('%s', (text, translated) => {
  setApiTexts(english, german)
  if (typeof translated === 'string') expect(apiText(text)).toBe(translated)
  else expect(apiText(text)).toMatch(translated)
})

test('each template is found again, with its values', () => {
  setApiTexts(english, german)
  for (const [code, template] of Object.entries(english)) {
    if (!/^(cause|event)\./.test(code) || code === 'event.step_started') continue
    const text = template.replace(/\{(\w+)\}/g, '<$1>')
    expect([code, apiText(text)]).toEqual([code, german[code as keyof typeof german].replace(/\{(\w+)\}/g, '<$1>')])
  }
})
