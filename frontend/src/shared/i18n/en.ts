import { account } from './texts/account.en'
import { app } from './texts/app.en'
import { audit } from './texts/audit.en'
import { common } from './texts/common.en'
import { create } from './texts/create.en'
import { members } from './texts/members.en'
import { operator } from './texts/operator.en'
import { palette } from './texts/palette.en'
import { session } from './texts/session.en'
import { settings } from './texts/settings.en'
import { store } from './texts/store.en'
import { stores } from './texts/stores.en'
import { webhooks } from './texts/webhooks.en'

/** English: its keys are those that all other languages must have. */
export const en = {
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
