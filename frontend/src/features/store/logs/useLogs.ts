import { useEffect, useState } from 'react'
import { useClient } from 'urql'
import { generation } from '@/shared/graphql/connection'
import { errorMessage } from '@/shared/graphql/errors'
import { StoreLogs, type LogLine } from '@/features/store/documents'

const TAIL = 100
const MAX_LINES = 2_000
/** After a lost connection the last lines come again: as many as may overlap are compared. */
const OVERLAP = TAIL * 2

export type NumberedLine = LogLine & { number: number }

/** Appends what is new, and keeps the last 2,000 lines. A line's number only grows: it is its key. */
export function appendLines(known: NumberedLine[], added: LogLine[]): NumberedLine[] {
  const keyOf = ({ at, pod, line }: LogLine) => `${at} ${pod ?? ''} ${line}`
  const recent = new Set(known.slice(-OVERLAP).map(keyOf))
  let number = known.at(-1)?.number ?? 0
  const fresh = added.filter((line) => !recent.has(keyOf(line))).map((line) => ({ ...line, number: ++number }))
  return fresh.length === 0 ? known : [...known, ...fresh].slice(-MAX_LINES)
}

/** Follows what a part of the store prints, for 15 minutes; lines are taken over once a frame. */
export function useLogs(storeId: string, component: string) {
  const client = useClient()
  const current = generation.use()
  const [lines, setLines] = useState<NumberedLine[]>([])
  const [ended, setEnded] = useState(false)
  const [error, setError] = useState<string>()
  const [round, setRound] = useState(0)
  const [startedAt, setStartedAt] = useState(() => Date.now())

  useEffect(() => {
    let waiting: LogLine[] = []
    let frame = 0
    const takeOver = () => {
      frame = 0
      const added = waiting
      waiting = []
      setLines((known) => appendLines(known, added))
    }
    const subscription = client.subscription(StoreLogs, { storeId, component, tail: TAIL }).subscribe((result) => {
      if (result.error) {
        setError(errorMessage(result.error))
        setEnded(true)
      } else if (result.data) {
        waiting.push(result.data.storeLogs)
        frame ||= requestAnimationFrame(takeOver)
      }
      if (!result.hasNext && !result.error && !result.data) setEnded(true)
    })
    return () => {
      cancelAnimationFrame(frame)
      subscription.unsubscribe()
    }
  }, [client, storeId, component, round, current])

  const followOn = () => {
    setEnded(false)
    setError(undefined)
    setStartedAt(Date.now())
    setRound((n) => n + 1)
  }
  return { lines, ended, error, startedAt, followOn }
}
