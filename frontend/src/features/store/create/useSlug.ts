import { useEffect, useState } from 'react'
import { useData } from '@/shared/graphql/useData'
import { SlugSuggestionQuery } from './documents'

const DEBOUNCE_MS = 200

function useDebounced<T>(value: T) {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), DEBOUNCE_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}

/** The address that a name or a chosen slug would get, and whether it is free. */
export function useSlug(name: string, slug: string | null) {
  const wanted = useDebounced(slug ?? name.trim())
  const variables = slug === null ? { name: wanted } : { slug: wanted }
  const { data } = useData({
    query: SlugSuggestionQuery,
    variables,
    pause: wanted === '',
    requestPolicy: 'network-only',
  })
  return wanted === '' ? undefined : data?.slugSuggestion
}
