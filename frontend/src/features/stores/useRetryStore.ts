import { useMutation } from 'urql'
import { userErrors } from '@/shared/graphql/errors'
import { showToast } from '@/shared/toast'
import { RetryStore } from './documents'

/** Lets a FAILED store try again; what was wrong comes as a toast. */
export function useRetryStore() {
  const [{ fetching }, execute] = useMutation(RetryStore)
  const retry = async (id: string) => {
    const [error] = userErrors(await execute({ input: { id, idempotencyKey: crypto.randomUUID() } }))
    if (error) showToast({ text: error.message })
  }
  return { retry: (id: string) => void retry(id), fetching }
}
