import { useMemo } from 'react'
import { useData } from '@/shared/graphql/useData'
import { EnginesQuery } from './documents'

/** What this installation offers: engines, plans, languages. It rarely changes, so the cache's answer is enough. */
export function useEngines() {
  const { data, error } = useData({ query: EnginesQuery, variables: {}, requestPolicy: 'cache-first' })
  return useMemo(
    () => ({
      engines: data?.engines ?? [],
      plans: data?.plans ?? [],
      languages: data?.languages ?? [],
      engineOf: (name: string) => data?.engines.find((engine) => engine.name === name),
      planOf: (name: string) => data?.plans.find((plan) => plan.name === name),
      /** Also when it can't be read: stores are shown then without the titles of plans and steps. */
      settled: data !== undefined || error !== undefined,
    }),
    [data, error],
  )
}
