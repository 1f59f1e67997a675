import { useData } from '@/shared/graphql/useData'
import { useDebounced } from '@/shared/useDebounced'
import { SlugSuggestionQuery } from './documents'

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
