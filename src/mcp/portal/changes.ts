import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Audience } from './audience.ts'
import type { ListKind } from './catalogue.ts'
import { PortalError } from './errors.ts'
import type { Change, Client, Interest } from './portal.ts'

/** Tells listeners when what they may see is no longer what it was. */
export type Changes = {
  listen(client: Client, interest: Interest, tell: (change: Change) => void): () => void
  /** Something has changed; who is concerned by it is found out, once for many of these. */
  look(): void
  /** Tells those who want to hear of a resource; `named`: how that client knows it, null: not at all. */
  resource(named: (client: Client, uris: ReadonlySet<string>) => Change | null): void
  close(): void
}

type Told = Exclude<Change['kind'], 'resource'>
type Digests = Record<Told, string>
type Listener = {
  client: Client
  interest: Interest
  uris: ReadonlySet<string>
  tell: (change: Change) => void
  /** Of what it could see when it was last told. */
  digests: Digests
}

/** Several changes at once, as of a row and the lists of its server, are told as one. */
const gatherMs = 20
const kinds: readonly Told[] = ['tools', 'prompts', 'resources']

export function openChanges(options: { audienceOf(client: Client): Audience; log: Logger }): Changes {
  const { audienceOf, log } = options
  const listeners = new Set<Listener>()
  let gathering: ReturnType<typeof setTimeout> | undefined

  return {
    listen(client, interest, tell) {
      const uris = new Set(interest.resourceUris)
      const listener = { client, interest, uris, tell, digests: current(client) }
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    look() {
      gathering ??= setTimeout(() => {
        gathering = undefined
        for (const listener of [...listeners]) compare(listener)
      }, gatherMs)
    },
    resource(named) {
      for (const listener of [...listeners]) {
        const change = listener.uris.size === 0 ? null : named(listener.client, listener.uris)
        if (change !== null) telling(listener, change)
      }
    },
    close() {
      clearTimeout(gathering)
      listeners.clear()
    },
  }

  /** 1,000 listeners are a handful of audiences, and what an audience is shown is digested once: 2 µs for each more. */
  function compare(listener: Listener): void {
    const before = listener.digests
    listener.digests = current(listener.client)
    for (const kind of kinds) {
      if (listener.digests[kind] !== before[kind] && listener.interest[kind]) telling(listener, { kind })
    }
  }

  function current(client: Client): Digests {
    try {
      return digestsOf(audienceOf(client))
    } catch (error) {
      // Its portal is gone: all that it had is.
      if (error instanceof PortalError) return { tools: '', prompts: '', resources: '' }
      throw error
    }
  }

  function telling({ tell }: Listener, change: Change): void {
    try {
      tell(change)
    } catch (error) {
      log.warn({ reason: errorText(error) }, 'telling an MCP client of a change failed')
    }
  }
}

function digestsOf({ digest }: Audience): Digests {
  const of = (...all: ListKind[]) => all.map(digest).join(' ')
  return { tools: of('tools'), prompts: of('prompts'), resources: of('resources', 'templates') }
}
