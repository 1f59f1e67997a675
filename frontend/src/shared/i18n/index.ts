import { Fragment, createElement, type ReactNode } from 'react'
import { apiText, setApiTexts } from './apiText'
import { en } from './en'
import { formatLocale, language } from './locale'

interface Plural {
  readonly one: string
  readonly other: string
}
export type Message = string | Plural
export type MessageKey = keyof typeof en
/** The texts of another language have exactly the keys of the English ones. */
export type Translation<English> = Record<keyof English, Message>
export type Catalogue = Translation<typeof en>

type Placeholders<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never
type Values<Key extends MessageKey, Value> =
  Placeholders<(typeof en)[Key] extends Plural ? (typeof en)[Key]['other'] : (typeof en)[Key]> extends infer Names
    ? [Names] extends [never]
      ? []
      : [values: Record<Names & string, Value>]
    : never

/** Whether there is a text, for keys that are made from what the API says. */
export const hasText = (key: string): key is MessageKey => key in en

let catalogue: Catalogue = en
const numbers = new Intl.NumberFormat(formatLocale)
const plurals = new Intl.PluralRules(language)

/** To be called once, before the first text is shown. */
export async function loadCatalogue() {
  if (language !== 'de') return
  const [{ de }, { english, german }] = await Promise.all([import('./de'), import('./apiTexts.de')])
  catalogue = de
  setApiTexts(english, german)
}

export { apiText }

const pick = (message: Message, values: Record<string, unknown> | undefined) =>
  typeof message === 'string' ? message : message[plurals.select(Number(values?.count)) === 'one' ? 'one' : 'other']
const show = (value: string | number) => (typeof value === 'number' ? numbers.format(value) : value)

/** The text of a key in the user's language. `{name}` is replaced by a value; `{count}` also chooses the plural. */
export function t<Key extends MessageKey>(key: Key, ...[values]: Values<Key, string | number>): string {
  const given = values as Record<string, string | number> | undefined
  return pick(catalogue[key], given).replace(/\{(\w+)\}/g, (whole, name: string) => show(given?.[name] ?? whole))
}

/** As `t`, for values that are elements. */
export function rich<Key extends MessageKey>(key: Key, ...[values]: Values<Key, ReactNode>): ReactNode {
  const given = values as Record<string, ReactNode> | undefined
  const parts = pick(catalogue[key], given).split(/\{(\w+)\}/)
  return parts.map((part, i) => createElement(Fragment, { key: i }, i % 2 ? given?.[part] : part))
}
