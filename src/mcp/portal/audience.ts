import { may } from '#access'
import type { OwnListing } from '../own/own.ts'
import { ownServerName } from '../servers/server.ts'
import type { Servers, Sight } from '../servers/servers.ts'
import type { RawJson } from '../wire/message.ts'
import { type ListKind, listKinds } from './catalogue.ts'
import { invalid } from './errors.ts'
import { findingNames } from './finding-names.ts'
import type { Client } from './portal.ts'
import { openRenaming } from './renaming.ts'
import { type Searchable, searchable } from './search.ts'
import type { Source } from './source.ts'
import { type Entry, makeView, type View } from './view.ts'

/** What one sort of client is shown: the same for all with the same rights on the same portal. */
export type Audience = {
  key: string
  /** Those of which it could see something. */
  sources: readonly Source[]
  /** Sorted, so that the same offer is always the same list. */
  lists: Record<ListKind, readonly Entry[]>
  tools: ReadonlyMap<string, Entry>
  prompts: ReadonlyMap<string, Entry>
  resources: ReadonlyMap<string, Entry>
  sight: Sight
  /** What it may not see counts as not there, be it asked for by name. */
  sees(source: Source, name: string): boolean
  /** Changes with that list. */
  digest(kind: ListKind): string
  /** Answers made once for all: after a change everybody asks for the same at the same time. */
  pages: Map<string, RawJson>
  /** Tools for `search_tools`, read when somebody first searches. */
  searchable(): readonly Searchable[]
}

export type Audiences = {
  /** @throws PortalError where there is no such portal */
  of(client: Client): Audience
  /** Something has changed: all are made anew when they are next asked for. */
  forget(): void
}

const mostKept = 1_000

export function openAudiences(options: {
  servers: Servers
  sources(): readonly Source[]
  own: readonly OwnListing[]
}): Audiences {
  const { servers, own } = options
  const rename = openRenaming()
  let views = new Map<string, View>()
  let audiences = new Map<string, Audience>()

  return {
    of(client) {
      const sight = servers.sight(client.principal)
      const key = audienceKey(client, sight)
      const known = audiences.get(key)
      if (known !== undefined) return known
      if (audiences.size >= mostKept) audiences = new Map()
      const made = makeAudience(key, viewOf(client), client, sight)
      audiences.set(key, made)
      return made
    },
    forget() {
      views = new Map()
      audiences = new Map()
    },
  }

  function viewOf({ principal: { tenant }, portal: name }: Client): View {
    const key = JSON.stringify([tenant, name])
    const known = views.get(key)
    if (known !== undefined) return known
    const portal = name === null ? null : servers.portal(tenant, name)
    if (name !== null && portal === null) throw invalid(`There is no portal ${name.slice(0, 100)}`)
    const seen = options.sources().filter(({ server }) => server.tenant === null || server.tenant === tenant)
    const view = makeView({ sources: seen, own, portal, rename })
    servers.keepNames(view.changed)
    views.set(key, view)
    return view
  }
}

function audienceKey({ principal, portal }: Client, sight: Sight): string {
  return JSON.stringify([principal.tenant, portal, sight.key, [...principal.scopes].sort()])
}

function makeAudience(key: string, view: View, { principal }: Client, sight: Sight): Audience {
  const shown = (entry: Entry) =>
    entry.own === null
      ? sight.sees(entry.source?.server.name ?? '', entry.name)
      : may(principal, entry.own.scope) && sight.sees(ownServerName, entry.name)
  const all: Record<ListKind, Entry[]> = {
    tools: view.tools.filter(shown),
    prompts: view.prompts.filter(shown),
    resources: view.resources.filter(shown),
    templates: view.templates.filter(shown),
  }
  const lists = { ...all }
  for (const kind of listKinds) lists[kind] = all[kind].filter(({ off }) => !off).sort(byName)
  const digests = new Map<ListKind, string>()
  let index: readonly Searchable[] | null = null
  return {
    ...{ key, lists, sight, pages: new Map() },
    sources: view.sources.filter(({ server }) => sight.concerns(server.name)),
    tools: byExposed(all.tools),
    prompts: byExposed(all.prompts),
    resources: byExposed(all.resources),
    sees: ({ server }, name) => view.selects(server.name, name) && sight.sees(server.name, name),
    searchable() {
      index ??= searchable(lists.tools.filter(({ exposed }) => !findingNames.has(exposed)))
      return index
    },
    digest(kind) {
      const known = digests.get(kind) ?? String(Bun.hash(lists[kind].map(({ json }) => json).join('\n')))
      digests.set(kind, known)
      return known
    },
  }
}

function byExposed(entries: readonly Entry[]): Map<string, Entry> {
  return new Map(entries.map((entry) => [entry.exposed, entry]))
}

/** Its own first, then by code unit, which is the same everywhere. */
function byName(a: Entry, b: Entry): number {
  if ((a.own === null) !== (b.own === null)) return a.own === null ? 1 : -1
  return a.exposed < b.exposed ? -1 : a.exposed > b.exposed ? 1 : 0
}
