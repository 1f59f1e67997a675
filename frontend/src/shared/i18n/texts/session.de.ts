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
  'oidc.continue': 'Weiter mit {name}',
  'oidc.cancelled': 'Die Anmeldung wurde abgebrochen. Nichts hat sich geändert.',
  'oidc.expired': 'Diese Anmeldung begann in einem anderen Tab oder hat zu lange gedauert. Bitte noch einmal.',
  'oidc.unavailable':
    'Die Anmeldung dort geht gerade nicht. Bitte in einer Minute noch einmal, oder mit Passwort anmelden.',
  'oidc.refused':
    'Die Antwort von dort war nicht brauchbar. Bitte noch einmal; wenn es so bleibt, dem Betreiber sagen.',
  'oidc.not_verified':
    'Die E-Mail-Adresse dort fehlt oder ist nicht bestätigt. Bitte dort bestätigen, dann noch einmal.',
  'oidc.domain': 'Die Domain der E-Mail-Adresse dort ist hier nicht zugelassen. Bitte dort eine andere Adresse wählen.',
  'oidc.no_user': 'Diese E-Mail-Adresse hat hier niemand. Bitte um eine Einladung für sie bitten.',
  'oidc.other_identity': 'Diese E-Mail-Adresse gehört hier jemand anderem. Bitte dem Betreiber sagen.',
  'oidc.rate_limited': 'Zu viele Versuche. Bitte eine Viertelstunde warten.',
  'link.title': 'Anmelden per Link',
  'link.progress': 'Wird angemeldet',
  'link.password': 'Mit Passwort anmelden',
}
