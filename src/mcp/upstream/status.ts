import type { UpstreamState } from './upstream.ts'

export type Status = {
  get(): UpstreamState
  set(change: Partial<UpstreamState>): void
  /** Resolves with the first state, from now on, of which that is true. */
  until(holds: (state: UpstreamState) => boolean): Promise<UpstreamState>
}

export function openStatus(onChange: (state: UpstreamState) => void): Status {
  const waiting = new Set<() => void>()
  let state: UpstreamState = {
    ...{ status: 'idle', reason: null, next_try_at: null, tries: 0, pid: null, connected_at: null },
  }
  return {
    get: () => state,
    set(change) {
      state = { ...state, ...change }
      for (const look of [...waiting]) look()
      onChange(state)
    },
    until: (holds) =>
      new Promise((resolve) => {
        const look = () => {
          if (!holds(state)) return
          waiting.delete(look)
          resolve(state)
        }
        waiting.add(look)
        look()
      }),
  }
}
