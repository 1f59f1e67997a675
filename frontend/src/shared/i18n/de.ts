import type { Catalogue } from '.'
import { account } from './texts/account.de'
import { app } from './texts/app.de'
import { audit } from './texts/audit.de'
import { common } from './texts/common.de'
import { create } from './texts/create.de'
import { members } from './texts/members.de'
import { operator } from './texts/operator.de'
import { palette } from './texts/palette.de'
import { session } from './texts/session.de'
import { settings } from './texts/settings.de'
import { store } from './texts/store.de'
import { stores } from './texts/stores.de'
import { webhooks } from './texts/webhooks.de'

/** German. */
export const de: Catalogue = {
  ...account,
  ...app,
  ...audit,
  ...common,
  ...create,
  ...members,
  ...operator,
  ...palette,
  ...session,
  ...settings,
  ...store,
  ...stores,
  ...webhooks,
}
