import { useEffect } from 'react'
import { useGroupCounts } from '@/features/stores/useGroupCounts'

/** The tab's icon tells whether a store needs attention, or is on its way. */
export function Favicon({ accountId }: { accountId: string }) {
  const counts = useGroupCounts(accountId)
  const state = counts?.attention ? 'attention' : counts?.progress ? 'busy' : 'idle'
  useEffect(() => {
    document.querySelector<HTMLLinkElement>('link[rel="icon"]')?.setAttribute('href', `/icons/${state}.svg`)
  }, [state])
  return null
}
