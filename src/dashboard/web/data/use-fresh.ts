import { useEffect, useRef } from 'react'
import { useBoard } from './board.tsx'

/**
 * Reloads with the gateway's pushes, while somebody looks; a list that is slow to make, not before it is made. Whoever
 * uses it is drawn anew with each push, so that "in 5 s" stays true.
 */
export function useFresh(
  wanted: boolean,
  reload: () => void,
  { everyMs = 0 }: { everyMs?: number } = {},
): void {
  const at = useBoard().board?.at
  const seen = useRef(at)
  const last = useRef(Date.now())
  useEffect(() => {
    if (at === seen.current) return
    const first = seen.current === undefined
    seen.current = at
    if (!wanted || first || document.visibilityState !== 'visible') return
    if (Date.now() - last.current < everyMs) return
    last.current = Date.now()
    reload()
  }, [at, wanted, reload, everyMs])
}
