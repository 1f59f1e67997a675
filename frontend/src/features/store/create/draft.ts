import { useEffect, useState } from 'react'
import type { VariablesOf } from '@/shared/graphql/graphql'
import type { Engine } from '@/features/stores/documents'
import type { CreateStore } from './documents'
import { currencyOf, guessCountry } from './countries'

type Input = VariablesOf<typeof CreateStore>['input']

export interface Draft {
  name: string
  /** Null: made from the name. */
  slug: string | null
  engine: Input['engine']
  plan: NonNullable<Input['plan']>
  country: string
  currency: string
  /** Null: guessed from the country, once the shop's languages are known. */
  language: string | null
  setup: Input['setup']
  adminEmail: string
}
interface Kept {
  draft: Draft
  idempotencyKey: string
  /** The input that was sent with the key, as JSON. */
  sent: string | null
}

const STORAGE_KEY = 'sf-create'

function emptyDraft(email: string): Draft {
  const country = guessCountry(navigator.languages)
  return {
    name: '',
    slug: null,
    engine: 'WOOCOMMERCE',
    plan: 'SMALL',
    country,
    currency: currencyOf(country),
    language: null,
    setup: null,
    adminEmail: email,
  }
}

export function loadDraft(email: string): Kept {
  const stored = sessionStorage.getItem(STORAGE_KEY)
  if (stored !== null) return JSON.parse(stored) as Kept
  return { draft: emptyDraft(email), idempotencyKey: crypto.randomUUID(), sent: null }
}

/**
 * What is being typed, kept over a reload, with the key under which it is sent: a double click or a reload makes one
 * store. Another input gets another key.
 */
export function useDraft(email: string) {
  const [kept, setKept] = useState(() => loadDraft(email))
  const [cleared, setCleared] = useState(false)
  useEffect(() => {
    if (cleared) sessionStorage.removeItem(STORAGE_KEY)
    else sessionStorage.setItem(STORAGE_KEY, JSON.stringify(kept))
  }, [kept, cleared])
  return {
    draft: kept.draft,
    change: (part: Partial<Draft>) => setKept((now) => ({ ...now, draft: { ...now.draft, ...part } })),
    clear: () => {
      sessionStorage.removeItem(STORAGE_KEY)
      setCleared(true)
    },
    /** The input with its key; stored before it is sent. */
    withIdempotencyKey: (input: Input): Input => {
      const sent = JSON.stringify(input)
      const isNew = kept.sent !== null && kept.sent !== sent
      const next = { ...kept, sent, idempotencyKey: isNew ? crypto.randomUUID() : kept.idempotencyKey }
      sessionStorage.setItem(STORAGE_KEY, JSON.stringify(next))
      setKept(next)
      return { ...input, idempotencyKey: next.idempotencyKey }
    },
  }
}

/** The engine that was chosen; if this installation doesn't offer it, the first one that it offers. */
export function offeredEngine(engines: Pick<Engine, 'name' | 'available'>[], chosen: Draft['engine']) {
  const offered = engines.filter(({ available }) => available).map(({ name }) => name)
  return offered.includes(chosen) ? chosen : (offered[0] ?? chosen)
}

/** What createStore takes, without what was left empty. */
export function toInput(draft: Draft, accountId: string): Input {
  return {
    accountId,
    name: draft.name.trim(),
    engine: draft.engine,
    plan: draft.plan,
    country: draft.country,
    currency: draft.currency,
    ...(draft.slug === null ? {} : { slug: draft.slug.trim() }),
    ...(draft.language === null ? {} : { language: draft.language }),
    ...(draft.setup ? { setup: draft.setup } : {}),
    ...(draft.adminEmail.trim() ? { adminEmail: draft.adminEmail.trim() } : {}),
  }
}
