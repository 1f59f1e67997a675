import { useSyncExternalStore } from 'react'
import { t } from './i18n'
import { formatLocale } from './i18n/locale'

/** One timer for all components that follow the time at the same pace. */
function ticker(everyMs: number) {
  const listeners = new Set<() => void>()
  let now = Date.now()
  let timer: ReturnType<typeof setInterval> | undefined
  return {
    get: () => now,
    subscribe: (listener: () => void) => {
      if (listeners.size === 0) now = Date.now()
      listeners.add(listener)
      timer ??= setInterval(() => {
        now = Date.now()
        listeners.forEach((one) => one())
      }, everyMs)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
  }
}
const TICKERS = { 100: ticker(100), 1000: ticker(1000), 15000: ticker(15_000) }
const rest = () => () => undefined

/** The time in ms, renewed every 0.1, 1 or 15 s; it stands still (and may be old) unless `running`. */
export function useNow(everyMs: keyof typeof TICKERS, running = true) {
  const { subscribe, get } = TICKERS[everyMs]
  return useSyncExternalStore(running ? subscribe : rest, get)
}

/** A text that follows the time. Only components whose text changes are rendered again. */
export function useTimeText(everyMs: keyof typeof TICKERS, text: (now: number) => string) {
  const { subscribe, get } = TICKERS[everyMs]
  return useSyncExternalStore(subscribe, () => text(get()))
}

const oneDigit = new Intl.NumberFormat(formatLocale, { minimumFractionDigits: 1, maximumFractionDigits: 1 })

/** < 10 ms, 30 ms, 3.1 s, 1 min 4 s, 2 h 5 min */
export function duration(ms: number) {
  if (ms < 10) return t('time.instant')
  if (ms < 950) return t('time.ms', { n: Math.round(ms / 10) * 10 })
  if (ms < 59_950) return t('time.seconds', { n: oneDigit.format(ms / 1000) })
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return t('time.minutes', { m: minutes, s: Math.round((ms % 60_000) / 1000) })
  return t('time.hours', { h: Math.floor(minutes / 60), m: minutes % 60 })
}

/** just now, 4 min ago, 3 h ago, 12 d ago */
export function ago(at: number, now: number) {
  const seconds = Math.max(0, (now - at) / 1000)
  if (seconds < 45) return t('time.justNow')
  if (seconds < 3570) return t('time.minutesAgo', { n: Math.round(seconds / 60) })
  if (seconds < 86_000) return t('time.hoursAgo', { n: Math.round(seconds / 3600) })
  return t('time.daysAgo', { n: Math.round(seconds / 86_400) })
}

/** Formatters are made when they are needed: each takes a while. */
function formatter(options: Intl.DateTimeFormatOptions) {
  let made: Intl.DateTimeFormat | undefined
  return (at: string | number) => (made ??= new Intl.DateTimeFormat(formatLocale, options)).format(new Date(at))
}

export const formatDay = formatter({ day: 'numeric', month: 'short', year: 'numeric' })
export const formatClock = formatter({ hour: '2-digit', minute: '2-digit', second: '2-digit' })
export const formatMinute = formatter({ hour: '2-digit', minute: '2-digit' })
const formatExact = formatter({ dateStyle: 'full', timeStyle: 'long' })

/** A relative time; the exact one shows on hover. */
export function RelativeTime({ at }: { at: string }) {
  const text = useTimeText(15000, (now) => ago(Date.parse(at), now))
  return (
    <time dateTime={at} title={formatExact(at)}>
      {text}
    </time>
  )
}

/** A day; the exact time shows on hover. */
export function Day({ at }: { at: string }) {
  return (
    <time dateTime={at} title={formatExact(at)}>
      {formatDay(at)}
    </time>
  )
}
