import type { Dialect } from './dialect.ts'

/** The readers of bytes that carry no conversation and no usage, as a list of models does. */
export const unread: Pick<Dialect, 'readRequest' | 'responseReader'> = {
  readRequest: () => ({ model: null, stream: false, history: [], session: null }),
  responseReader: () => ({
    push: () => {},
    result: () => ({ model: null, usage: null, error: null, reply: null, tool_uses: [], stop_reason: null }),
  }),
}
