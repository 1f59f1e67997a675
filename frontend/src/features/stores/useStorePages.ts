import { useEffect, useRef, useState } from 'react'
import { useClient } from 'urql'
import type { CombinedError } from '@urql/core'
import { generation } from '@/shared/graphql/connection'
import type { ResultOf, VariablesOf } from '@/shared/graphql/graphql'
import { policyOf } from '@/shared/graphql/preload'
import { useLiveEvents } from '@/features/events/bus'
import { StoresQuery, type Store } from './documents'

const PAGE = 100
const REFETCH_MS = 300
const BATCH_MS = 50

type Page = ResultOf<typeof StoresQuery>['stores']
type OrderBy = NonNullable<VariablesOf<typeof StoresQuery>['orderBy']>

/** The orders that the page offers. */
export const ORDERS = {
  NEWEST: { field: 'CREATED_AT', direction: 'DESC' },
  OLDEST: { field: 'CREATED_AT', direction: 'ASC' },
  NAME: { field: 'NAME', direction: 'ASC' },
} as const satisfies Record<string, OrderBy>
export type StoreOrder = keyof typeof ORDERS

interface Wanted {
  accountId: string
  search: string
  order: StoreOrder
}

const variablesOf = ({ accountId, search, order }: Wanted, after: string | null) => ({
  accountId,
  first: PAGE,
  filter: search ? { search } : null,
  orderBy: ORDERS[order],
  after,
})
/** Of the page that is read first. */
export const firstPageOf = (accountId: string) => variablesOf({ accountId, search: '', order: 'NEWEST' }, null)

/**
 * The account's stores, a page at a time; each page follows the cache. The pages of the last question stay until the
 * first page of the next one is there. A store that is on no page (it is new) leads to another read.
 */
export function useStorePages({ accountId, search, order }: Wanted) {
  const client = useClient()
  const current = generation.use()
  const [reads, setReads] = useState(0)
  const [cursors, setCursors] = useState<(string | null)[]>([null])
  const [pages, setPages] = useState<Page[]>([])
  const [error, setError] = useState<CombinedError>()
  /** The pages that were asked for by this read: one more page doesn't read them again. */
  const known = useRef({ read: '', pages: new Set<string | null>() })
  const question = `${accountId} ${search} ${order}`
  const [asked, setAsked] = useState(question)
  /** The question that the pages answer: a cursor is of use in this question only. */
  const [answered, setAnswered] = useState(question)
  if (asked !== question) {
    setAsked(question)
    setCursors([null])
  }

  useEffect(() => {
    const read = `${question} ${current} ${reads}`
    if (known.current.read !== read) known.current = { read, pages: new Set() }
    // An event is shown at once; those that follow it closely are one update of the list.
    const waiting = new Map<number, Page>()
    let timer: ReturnType<typeof setTimeout> | undefined
    let updatedAt = 0
    const takeOver = () => {
      timer = undefined
      updatedAt = performance.now()
      const loaded = new Map(waiting)
      waiting.clear()
      setAnswered(question)
      setPages((all) => cursors.flatMap((_, i) => loaded.get(i) ?? all[i] ?? []))
    }
    const subscriptions = cursors.map((after, i) => {
      const variables = variablesOf({ accountId, search, order }, after)
      const requestPolicy = known.current.pages.has(after) ? 'cache-first' : policyOf(StoresQuery, variables)
      known.current.pages.add(after)
      return client.query(StoresQuery, variables, { requestPolicy }).subscribe(({ data, error: failure }) => {
        setError(failure)
        if (!data) return
        waiting.set(i, data.stores)
        timer ??= setTimeout(takeOver, updatedAt + BATCH_MS - performance.now())
      })
    })
    return () => {
      clearTimeout(timer)
      subscriptions.forEach((subscription) => subscription.unsubscribe())
    }
  }, [client, accountId, search, order, question, cursors, reads, current])

  const stores = unique(pages.flatMap((page) => page.nodes))
  const refetch = () => setReads((n) => n + 1)
  const last = pages.at(-1)
  useRefetchForNewStores({
    question,
    stores,
    order,
    whole: last?.pageInfo.hasNextPage === false,
    failed: !!error,
    refetch,
  })

  const next = last?.pageInfo.hasNextPage ? last.pageInfo.endCursor : null
  return {
    stores,
    loaded: pages.length > 0,
    error: pages.length > 0 ? undefined : error,
    refetch,
    loadMore:
      next !== null && answered === question && cursors.length === pages.length
        ? () => setCursors([...cursors, next])
        : undefined,
  }
}

/** A store that moved between two pages while they were read is on both. */
function unique(stores: Store[]) {
  const seen = new Map(stores.map((store) => [store.id, store]))
  return [...seen.values()].filter(({ status }) => status !== 'DELETED')
}

interface Listed {
  question: string
  stores: Store[]
  order: StoreOrder
  /** Whether all pages are there. */
  whole: boolean
  failed: boolean
  refetch: () => void
}

/** Reads again for a store that isn't listed, once for each; not for one that belongs to a page that isn't there yet. */
function useRefetchForNewStores({ question, stores, order, whole, failed, refetch }: Listed) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const asked = useRef(new Set<string>())
  useLiveEvents(({ store }) => {
    const last = stores.at(-1)
    const isOlder = last !== undefined && store.createdAt < last.createdAt
    const wanted = `${question} ${store.id}`
    if (store.status === 'DELETED' || asked.current.has(wanted)) return
    if (stores.some(({ id }) => id === store.id) || (!whole && order === 'NEWEST' && isOlder)) return
    asked.current.add(wanted)
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      refetch()
    }, REFETCH_MS)
  })
  useEffect(() => {
    if (failed) asked.current.clear()
  }, [failed])
  useEffect(() => () => clearTimeout(timer.current), [])
}
