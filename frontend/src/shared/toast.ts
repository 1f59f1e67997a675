import { externalStore } from './externalStore'

export interface Toast {
  text: string
  /** A page of this dashboard that has more. */
  to?: string
}

export const toast = externalStore<Toast | null>(null)
export const showToast = (next: Toast) => toast.set(next)

/** The same sentences for screen readers. */
export const announcement = externalStore('')
