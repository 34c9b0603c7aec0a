import { useMemo, useSyncExternalStore } from 'react'

/** Where the page is: all of its state that is worth a link is here. */
export type Place = {
  /** Below /queues, decoded. */
  parts: string[]
  query: URLSearchParams
}

const base = '/queues'
const listeners = new Set<() => void>()

export function usePlace(): Place {
  const href = useSyncExternalStore(subscribe, () => location.pathname + location.search)
  return useMemo(() => {
    const url = new URL(href, location.origin)
    const parts = url.pathname.slice(base.length).split('/').filter(Boolean).map(decodeURIComponent)
    return { parts, query: url.searchParams }
  }, [href])
}

/** The address of a page, as in `hrefOf(['jobs'], { state: 'failed' })`. */
export function hrefOf(parts: readonly string[], query: Record<string, string | undefined> = {}): string {
  const path = [base, ...parts.map(encodeURIComponent)].join('/')
  const search = searchOf(query)
  return search === '' ? path : `${path}?${search}`
}

export function searchOf(query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => !!pair[1])
  return new URLSearchParams(given).toString()
}

export function go(href: string, { replace = false }: { replace?: boolean } = {}): void {
  if (replace) history.replaceState(null, '', href)
  else history.pushState(null, '', href)
  for (const tell of listeners) tell()
  if (!replace) scrollTo(0, 0)
}

/** Changes parts of the query and leaves the rest. */
export function setQuery(change: Record<string, string | undefined>): void {
  const query = Object.fromEntries(new URLSearchParams(location.search))
  const search = searchOf({ ...query, ...change })
  go(search === '' ? location.pathname : `${location.pathname}?${search}`, { replace: true })
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell)
  addEventListener('popstate', tell)
  return () => {
    listeners.delete(tell)
    removeEventListener('popstate', tell)
  }
}
