import { useEffect, useRef } from 'react'

/**
 * What had the cursor may go away with what was done: a button that is no more, a row that was removed. The cursor then
 * is on the page as a whole, where keys and screen readers go on, rather than nowhere.
 */
export function useKeepFocus() {
  const page = useRef<HTMLElement>(null)
  useEffect(() => {
    let last: Element | null = null
    const remember = ({ target }: FocusEvent) => {
      last = target instanceof Element ? target : null
    }
    const watch = new MutationObserver(() => {
      if (last === null || last.isConnected || document.activeElement !== document.body) return
      last = null
      page.current?.focus({ preventScroll: true })
    })
    document.addEventListener('focusin', remember)
    watch.observe(document.body, { childList: true, subtree: true })
    return () => {
      document.removeEventListener('focusin', remember)
      watch.disconnect()
    }
  }, [])
  return page
}
