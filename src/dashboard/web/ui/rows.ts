import { useEffect, useState } from 'react'
import { useKeys } from '../data/keys.ts'

/** A list that is walked with j and k; the row that is on is always in sight. */
export function useRows(
  length: number,
  on: { open: (n: number) => void; pick?: (n: number) => void },
): number {
  const [at, setAt] = useState(-1)
  const move = (by: number) => setAt((before) => Math.max(0, Math.min(length - 1, before + by)))
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    arrowdown: () => move(1),
    arrowup: () => move(-1),
    ...(at >= 0 && at < length ? { enter: () => on.open(at), x: () => on.pick?.(at) } : {}),
  })
  useEffect(() => {
    if (at >= 0)
      document.querySelector<HTMLElement>(`[data-row="${at}"]`)?.scrollIntoView({ block: 'nearest' })
  }, [at])
  return Math.min(at, length - 1)
}
