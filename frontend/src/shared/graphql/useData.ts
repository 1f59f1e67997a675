import { useCallback, useEffect, useRef, useState } from 'react'
import { useQuery, type AnyVariables, type RequestPolicy, type TypedDocumentNode } from 'urql'
import { generation } from './connection'

interface Options<Variables> {
  query: TypedDocumentNode<unknown, Variables & AnyVariables>
  variables: Variables
  pause?: boolean
  requestPolicy?: RequestPolicy
}

/**
 * A query that keeps its last answer on screen: while variables change, after an error and while the session has ended.
 * It is sent again when `readAgain` is called.
 */
export function useData<Data, Variables extends AnyVariables>({
  query,
  variables,
  pause = false,
  requestPolicy = 'cache-and-network',
}: Omit<Options<Variables>, 'query'> & { query: TypedDocumentNode<Data, Variables> }) {
  const [result, execute] = useQuery<Data, AnyVariables>({
    query,
    variables: variables as AnyVariables,
    pause,
    requestPolicy,
  })
  const [data, setData] = useState<Data | undefined>(result.data)
  if (result.data && result.data !== data) setData(result.data)

  const refetch = useCallback(() => execute({ requestPolicy: 'network-only' }), [execute])
  const current = generation.use()
  const seen = useRef(current)
  useEffect(() => {
    if (seen.current === current) return
    seen.current = current
    if (!pause) refetch()
  }, [current, pause, refetch])

  return {
    data: result.data ?? data,
    error: result.error,
    fetching: result.fetching,
    refetch,
  }
}
