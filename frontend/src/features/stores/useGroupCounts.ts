import { useEffect, useRef } from 'react'
import { graphql } from '@/shared/graphql/graphql'
import { useData } from '@/shared/graphql/useData'
import { useLiveEvents } from '@/features/events/bus'
import type { Group } from './state'

const REFETCH_MS = 500

const CountsQuery = graphql(`
  query StoreCounts($accountId: ID!) {
    account(id: $accountId) {
      id
      failed: storeCount(filter: { status: [FAILED] })
      unhealthy: storeCount(filter: { status: [READY], health: [DEGRADED, DOWN] })
      progress: storeCount(filter: { status: [REQUESTED, PROVISIONING, UPDATING, SUSPENDING, RESUMING, DELETING] })
      ready: storeCount(filter: { status: [READY] })
      suspended: storeCount(filter: { status: [SUSPENDED] })
    }
  }
`)

/**
 * How many stores each group has, on all pages; counted again after events that change it. Undefined until they are
 * counted, and null if they can't be.
 */
export function useGroupCounts(accountId: string): Record<Group | 'all', number> | null | undefined {
  const { data, error, refetch } = useData({ query: CountsQuery, variables: { accountId } })
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useLiveEvents(({ type }) => {
    if (type !== 'STATUS' && type !== 'HEALTH') return
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      refetch()
    }, REFETCH_MS)
  })
  useEffect(() => () => clearTimeout(timer.current), [])
  const counts = data?.account
  if (!counts) return error ? null : undefined
  const attention = counts.failed + counts.unhealthy
  const open = counts.ready - counts.unhealthy
  return {
    attention,
    progress: counts.progress,
    open,
    closed: counts.suspended,
    all: attention + counts.progress + open + counts.suspended,
  }
}
