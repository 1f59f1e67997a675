type Cursor = string | undefined

let preloaded: { accountId: string; cursor: Promise<Cursor> } | undefined

/** Where the subscription of an account's events begins: before all that is on the first page. */
export function preloadCursor(accountId: string, cursor: Promise<Cursor>) {
  preloaded = { accountId, cursor }
}

/** The preloaded cursor, for once. */
export async function takeCursor(accountId: string): Promise<Cursor> {
  const found = preloaded
  preloaded = undefined
  return found?.accountId === accountId ? await found.cursor : undefined
}
