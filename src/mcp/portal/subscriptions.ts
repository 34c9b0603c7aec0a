import type { Upstream } from '../upstream/upstream.ts'
import type { Answer } from '../wire/message.ts'
import { memberOf } from '../wire/raw-json.ts'
import type { FoundResource } from './find-resource.ts'
import type { Source } from './source.ts'

/** Which resources of which servers somebody wants to hear of: a server is told of the first and after the last. */
export type Subscriptions = {
  /** For a session that asked; awaits the server's word. */
  subscribe(session: string, found: FoundResource): Promise<Answer>
  unsubscribe(session: string, found: FoundResource): Promise<Answer>
  /** While somebody listens, until the function returned is called. What that session asked for before is then his. */
  hold(session: string | null, found: readonly FoundResource[]): () => void
  /** Servers may have got new connections. */
  renew(): void
}

type Held = { source: string; uri: string; upstream: Upstream; holders: Set<unknown> }

const timeoutMs = 30_000
/** A session that asked and never listened is forgotten some day. */
const mostSessions = 10_000

export function openSubscriptions({ current }: { current(id: string): Source | null }): Subscriptions {
  const all = new Map<string, Held>()
  const sessions = new Map<string, Map<string, FoundResource>>()

  return {
    async subscribe(session, found) {
      if (!tells(found.source)) return { result: '{}' }
      const answer = await take(session, found)
      if ('error' in answer) return answer
      const own = sessions.get(session) ?? new Map<string, FoundResource>()
      own.set(keyOf(found), found)
      sessions.delete(session)
      sessions.set(session, own)
      if (sessions.size > mostSessions) release(sessions.keys().next().value ?? session)
      return answer
    },
    async unsubscribe(session, found) {
      sessions.get(session)?.delete(keyOf(found))
      drop(session, found)
      return { result: '{}' }
    },
    hold(session, found) {
      const holder = {}
      const held = found.filter(({ source }) => tells(source))
      for (const one of held) void take(holder, one)
      return () => {
        for (const one of held) drop(holder, one)
        if (session !== null) release(session)
      }
    },
    renew() {
      for (const one of all.values()) {
        const source = current(one.source)
        if (source === null || source.upstream === one.upstream) continue
        one.upstream = source.upstream
        void send(source.upstream, 'resources/subscribe', one.uri)
      }
    },
  }

  async function take(holder: unknown, found: FoundResource): Promise<Answer> {
    const key = keyOf(found)
    const known = all.get(key)
    if (known !== undefined) {
      known.holders.add(holder)
      return { result: '{}' }
    }
    const { source, uri } = found
    const { upstream } = source
    all.set(key, { source: source.server.id, uri, upstream, holders: new Set([holder]) })
    const answer = await send(upstream, 'resources/subscribe', uri)
    if ('error' in answer) drop(holder, found, { told: false })
    return answer
  }

  function drop(holder: unknown, found: FoundResource, { told = true }: { told?: boolean } = {}): void {
    const key = keyOf(found)
    const known = all.get(key)
    if (known === undefined || !known.holders.delete(holder) || known.holders.size > 0) return
    all.delete(key)
    if (told) void send(known.upstream, 'resources/unsubscribe', known.uri)
  }

  function release(session: string): void {
    for (const found of sessions.get(session)?.values() ?? []) drop(session, found)
    sessions.delete(session)
  }
}

function send(upstream: Upstream, method: string, uri: string): Promise<Answer> {
  const signal = AbortSignal.timeout(timeoutMs)
  return upstream.request({
    ...{ method, params: JSON.stringify({ uri }), signal, timeoutMs, maxBytes: 100_000, parent: null },
    onNotification: () => {},
  })
}

/** A server that does not tell of changes would answer with an error; whoever asks for news simply gets none. */
function tells(source: Source): boolean {
  const resources = memberOf(source.catalogue()?.facts.capabilities ?? '{}', 'resources')
  return resources !== null && memberOf(resources, 'subscribe') === 'true'
}

function keyOf({ source, uri }: FoundResource): string {
  return `${source.server.id} ${uri}`
}
