import { useEffect, useRef } from 'react'

export type Keys = Record<string, (event: KeyboardEvent) => void>

/**
 * Keys of a page, by their names in lower case, while no field has the cursor and no dialog is open. Escape works in
 * fields too: it leaves them.
 */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys)
  latest.current = keys

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      const { target } = event
      const typing = target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
      if (typing && event.key === 'Escape') target.blur()
      if (typing || document.querySelector('dialog[open]') !== null) return
      // Enter is that of the button or link that has the cursor.
      if (
        event.key === 'Enter' &&
        target instanceof HTMLElement &&
        target.closest('a, button, summary') !== null
      )
        return
      const act = latest.current[event.key.toLowerCase()]
      if (act === undefined) return
      event.preventDefault()
      act(event)
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
