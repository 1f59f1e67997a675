import { useEffect, useRef } from 'react'

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform)
export const modifier = isMac ? '⌘' : 'Ctrl'

const SEQUENCE_MS = 800
type Handlers = Record<string, (event: KeyboardEvent) => void>

/**
 * Keyboard shortcuts: single keys (`c`), two in a row (`g s`) and `mod+k` (⌘ on Apple's, Ctrl elsewhere).
 * Single keys rest while somebody types or a dialog is open.
 */
export function useKeys(handlers: Handlers, active = true) {
  const latest = useRef(handlers)
  useEffect(() => {
    latest.current = handlers
  })
  useEffect(() => {
    if (!active) return
    let first = ''
    let timer: ReturnType<typeof setTimeout>
    const onKeyDown = (event: KeyboardEvent) => {
      const withModifier = event.metaKey || event.ctrlKey
      if (event.altKey || event.isComposing || event.defaultPrevented) return
      if (!withModifier && (isTyping(event.target) || document.querySelector('[role="dialog"], [role="menu"]'))) return
      const onControl = event.target instanceof Element && event.target.closest('a, button, [role="tab"]')
      if (event.key === 'Enter' && onControl) return
      const key = `${withModifier ? 'mod+' : ''}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`
      const handler = latest.current[`${first} ${key}`] ?? latest.current[key]
      clearTimeout(timer)
      first = withModifier || handler ? '' : key
      timer = setTimeout(() => {
        first = ''
      }, SEQUENCE_MS)
      if (!handler) return
      event.preventDefault()
      handler(event)
    }
    window.addEventListener('keydown', onKeyDown)
    return () => {
      window.removeEventListener('keydown', onKeyDown)
      clearTimeout(timer)
    }
  }, [active])
}
