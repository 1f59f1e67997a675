import type { Translation } from '@/shared/i18n'
import type { palette as english } from './palette.en'

export const palette: Translation<typeof english> = {
  'palette.title': 'Suchen oder springen',
  'palette.open': 'Suchen oder springen …',
  'palette.placeholder': 'Ein Shop, oder was zu tun ist …',
  'palette.results': 'Treffer',
  'palette.noMatch': 'Hier heißt nichts „{wanted}“.',
  'palette.do': 'Tun',
  'palette.goTo': 'Gehe zu',
  'palette.mode': 'Hell und dunkel wechseln',
  'palette.choose': 'wählen',
  'palette.go': 'los',
}
