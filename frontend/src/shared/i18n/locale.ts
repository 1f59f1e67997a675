const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]

const STORAGE_KEY = 'sf-locale'
/** The name that browsers give to a made-up right-to-left language: English texts, mirrored. */
const RTL_TEST_LOCALE = 'ar-XB'

const stored = () => {
  try {
    return localStorage.getItem(STORAGE_KEY)
  } catch {
    return null
  }
}
const isLanguage = (value: string): value is Language => (LANGUAGES as readonly string[]).includes(value)

const wanted = [stored(), ...navigator.languages].filter((tag) => tag !== null)

/** The first language of the user that has a catalogue. */
export const language: Language = wanted.map((tag) => tag.split('-')[0] ?? '').find(isLanguage) ?? 'en'
/** For numbers and dates: the user's own region of that language, such as en-GB. */
export const formatLocale = navigator.languages.find((tag) => tag.startsWith(language)) ?? language
export const direction = wanted[0] === RTL_TEST_LOCALE ? 'rtl' : 'ltr'

/** Texts and formats are chosen when the page loads, so it is loaded again. */
export function chooseLanguage(next: Language) {
  localStorage.setItem(STORAGE_KEY, next)
  location.reload()
}
