import { useCallback, useEffect, useRef, useState } from 'react'
import { ApiError } from './client.ts'
import { sessionOver, useSession } from './session.ts'

export type Loaded<Value> = {
  value: Value | undefined
  error: Error | null
  loading: boolean
  reload: () => void
}

/**
 * What `load` answers for that key. The last value stays while a newer one is on its way, so that nothing flickers;
 * another key begins anew.
 */
export function useLoad<Value>(key: string, load: (signal: AbortSignal) => Promise<Value>): Loaded<Value> {
  const [state, setState] = useState<{ key: string; value?: Value; error: Error | null }>({
    key,
    error: null,
  })
  const [turn, setTurn] = useState(0)
  const [loading, setLoading] = useState(true)
  const { leave } = useSession()
  const latest = useRef(load)
  latest.current = load
  const asked = `${turn} ${key}`

  useEffect(() => {
    const stop = new AbortController()
    const of = asked.slice(asked.indexOf(' ') + 1)
    setLoading(true)
    latest
      .current(stop.signal)
      .then(
        (value) => setState({ key: of, value, error: null }),
        (error: Error) => {
          if (stop.signal.aborted) return
          if (error instanceof ApiError && error.status === 401) leave(sessionOver)
          setState((before) => ({ ...before, key: of, error }))
        },
      )
      .finally(() => {
        if (!stop.signal.aborted) setLoading(false)
      })
    return () => stop.abort()
  }, [asked, leave])

  const reload = useCallback(() => setTurn((before) => before + 1), [])
  const current = state.key === key
  return { value: current ? state.value : undefined, error: current ? state.error : null, loading, reload }
}
