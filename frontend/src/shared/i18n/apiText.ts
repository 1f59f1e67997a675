/**
 * The API's texts about stores in the user's language. The API sends English texts, made from templates that have codes
 * (stores/texts.py; `apiTexts.json` is a copy). The template of a text is found here again, and the template that the
 * user's language has for its code is filled in. A text that fits no template stays as it is.
 */
import { formatLocale } from './locale'

type Templates = Record<string, string>
interface Rule {
  code: string
  pattern: RegExp
}

let translations: Templates = {}
/** By the group of the code, such as `cause`; the most specific first. */
let rules: Record<string, Rule[]> = {}
const decimals = new Intl.NumberFormat(formatLocale, { minimumFractionDigits: 1, maximumFractionDigits: 1 })

const literalLength = (template: string) => template.replace(/\{\w+\}/g, '').length
const escaped = (text: string) => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
const uncapitalized = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)

/** The templates of both languages, by their codes. */
export function setApiTexts(english: Templates, translated: Templates) {
  translations = translated
  rules = {}
  const specificFirst = Object.entries(english).sort(([, a], [, b]) => literalLength(b) - literalLength(a))
  for (const [code, template] of specificFirst) {
    const pattern = new RegExp(`^${escaped(template).replace(/\{(\w+)\}/g, '(?<$1>.*)')}$`, 's')
    ;(rules[code.split('.')[0] ?? ''] ??= []).push({ code, pattern })
  }
}

/** A step's title, an event's message, or a cause with its advice, in the user's language. */
export function apiText(text: string): string {
  return causeWithAdvice(text) ?? find(text, 'cause') ?? find(text, 'event') ?? find(text, 'title') ?? text
}

/** Looked for first, because a cause may end with the words of a program. */
function causeWithAdvice(text: string): string | undefined {
  for (const { index } of [...text.matchAll(/(?<=[.!?]) (?=\p{Lu})/gu)].reverse()) {
    const advice = find(text.slice(index + 1), 'advice')
    const cause = advice && find(text.slice(0, index), 'cause')
    if (cause) return `${cause} ${capitalized(advice)}`
  }
  return undefined
}

function find(text: string, group: string): string | undefined {
  for (const { code, pattern } of rules[group] ?? []) {
    const match = pattern.exec(text)
    const values = match && translatedValues(match.groups ?? {})
    if (values) return translations[code]?.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
  }
  return undefined
}

/** A value may be a text of the group that it is named after. Null: it has to be a known remedy, and is none. */
function translatedValues(found: Templates): Templates | null {
  const values: Templates = {}
  for (const [name, value] of Object.entries(found)) {
    const group = name.replace(/\d$/, '')
    const known = find(group === 'remedy' ? uncapitalized(value) : value, group)
    if (group === 'remedy' && known === undefined) return null
    // The words of Kubernetes, of a program or of an engine stay as they are.
    values[name] = known ?? (name === 'seconds' && /^\d+\.\d+$/.test(value) ? decimals.format(Number(value)) : value)
  }
  return values
}
