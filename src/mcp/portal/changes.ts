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
}
/** Who is shown the same is looked at once: 1,000 listeners are a handful of groups. */
type Group = { client: Client; digests: Digests; members: Set<Listener> }

/** Several changes at once, as of a row and the lists of its server, are told as one. */
const gatherMs = 20
const kinds: readonly Told[] = ['tools', 'prompts', 'resources']

export function openChanges(options: { audienceOf(client: Client): Audience; log: Logger }): Changes {
  const { audienceOf, log } = options
  const groups = new Map<string, Group>()
  let gathering: ReturnType<typeof setTimeout> | undefined

  return {
    listen(client, interest, tell) {
      const listener = { client, interest, uris: new Set(interest.resourceUris), tell }
      const audience = audienceOf(client)
      const group = groups.get(audience.key) ?? { client, digests: digestsOf(audience), members: new Set() }
      groups.set(audience.key, group)
      group.members.add(listener)
      return () => {
        group.members.delete(listener)
        if (group.members.size === 0 && groups.get(audience.key) === group) groups.delete(audience.key)
      }
    },
    look() {
      gathering ??= setTimeout(() => {
        gathering = undefined
        for (const group of groups.values()) compare(group)
      }, gatherMs)
    },
    resource(named) {
      for (const { members } of groups.values()) {
        for (const listener of members) {
          const change = listener.uris.size === 0 ? null : named(listener.client, listener.uris)
          if (change !== null) telling(listener, change)
        }
      }
    },
    close() {
      clearTimeout(gathering)
      groups.clear()
    },
  }

  function compare(group: Group): void {
    const now = current(group.client)
    for (const kind of kinds) {
      if (now[kind] === group.digests[kind]) continue
      for (const listener of group.members) {
        if (listener.interest[kind]) telling(listener, { kind })
      }
    }
    group.digests = now
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
