import type { Translation } from '@/shared/i18n'
import type { session as english } from './session.en'

export const session: Translation<typeof english> = {
  'session.noAccount': 'Dieser Nutzer hat noch kein Konto.',
  'session.endedTitle': 'Noch einmal anmelden',
  'session.endedText': 'Die Sitzung von {email} ist beendet. Alles Eingegebene ist noch da.',
  'session.other': 'Anderer Nutzer',
  'session.signOut': 'Abmelden',
  'signIn.title': 'Bei Storefleet anmelden',
  'signIn.text': 'Shops, die auf einen Klick öffnen.',
  'signIn.email': 'E-Mail',
  'signIn.emailMissing': 'Bitte die E-Mail-Adresse eingeben.',
  'signIn.password': 'Passwort',
  'signIn.passwordMissing': 'Bitte das Passwort eingeben.',
  'signIn.submit': 'Anmelden',
  'signIn.noAccount': 'Noch kein Konto?',
  'signUp.title': 'Konto anlegen',
  'signUp.submit': 'Registrieren',
  'signUp.hasAccount': 'Schon ein Konto?',
  'signUp.passwordHint': 'Mindestens 10 Zeichen.',
  'link.title': 'Anmelden per Link',
  'link.progress': 'Wird angemeldet',
  'link.password': 'Mit Passwort anmelden',
}
