import type { Outcome } from '#capture'
import type { RawJson } from '../wire/message.ts'
import { memberOf, withMember } from '../wire/raw-json.ts'
import { waitAfter } from './backoff.ts'
import type { Connection } from './connection.ts'
import type { Hops } from './hops.ts'

/** The subscription to a modern server's changes: one stream, opened anew when it ends or its filter changes. */
export type Listening = {
  subscribe(uri: string): void
  unsubscribe(uri: string): void
  close(): void
}

export type ListeningDeps = {
  connection: Connection
  hops: Hops
  capabilities: RawJson
  /** Changes may have been missed. */
  gap(): void
}

const kinds = ['tools', 'prompts', 'resources'] as const
const methodNotFound = -32_601

export function listen({ connection, hops, capabilities, gap }: ListeningDeps): Listening {
  const uris = new Set<string>()
  const changes = kinds.filter(
    (kind) => memberOf(memberOf(capabilities, kind) ?? '{}', 'listChanged') === 'true',
  )
  let current: AbortController | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let closed = false

  async function open(failures = 0): Promise<void> {
    clearTimeout(timer)
    const before = current
    const abort = new AbortController()
    current = abort
    const filter = filterOf(changes, uris)
    before?.abort()
    if (filter === '{}') return
    const hop = hops.own('subscriptions/listen')
    const end = (outcome: Outcome) =>
      void Promise.resolve(hop.end({ outcome, status: null, error: null })).catch(() => {})
    const { answer, failure } = await connection.ask({
      ...{ method: 'subscriptions/listen', hop, timeoutMs: null, signal: abort.signal },
      params: withMember('{}', 'notifications', filter),
      // What comes after that is recorded as it comes, and not when the stream ends.
      onNotification: () => end('completed'),
    })
    end(failure === null || abort.signal.aborted ? 'completed' : 'upstream_gone')
    if (closed || current !== abort) return
    if ('error' in answer && answer.error.code === methodNotFound) return
    timer = setTimeout(
      () => {
        gap()
        void open(failures + 1).catch(() => {})
      },
      waitAfter(failures, { baseMs: 250, mostMs: 30_000 }),
    )
    timer.unref()
  }

  void open().catch(() => {})
  return {
    subscribe(uri) {
      if (uris.has(uri)) return
      uris.add(uri)
      void open().catch(() => {})
    },
    unsubscribe(uri) {
      if (uris.delete(uri)) void open().catch(() => {})
    },
    close() {
      closed = true
      clearTimeout(timer)
      current?.abort()
    },
  }
}

function filterOf(changes: readonly (typeof kinds)[number][], uris: ReadonlySet<string>): RawJson {
  const flags = Object.fromEntries(changes.map((kind) => [`${kind}ListChanged`, true]))
  return JSON.stringify(uris.size === 0 ? flags : { ...flags, resourceSubscriptions: [...uris] })
}
