import type { OwnListing } from '../own/own.ts'
import { everything, type Selector } from '../servers/selector.ts'
import { ownServerName } from '../servers/server.ts'
import type { PortalSettings, StoredName } from '../servers/servers.ts'
import { memberOf } from '../wire/raw-json.ts'
import type { Listed } from './catalogue.ts'
import { assignNames } from './names.ts'
import type { Rename } from './renaming.ts'
import type { Source } from './source.ts'
import { portalUri } from './uris.ts'

/** What a portal of a tenant offers, under the names that its clients know, before anybody's rights are looked at. */
export type View = {
  sources: readonly Source[]
  tools: Entry[]
  prompts: Entry[]
  resources: Entry[]
  templates: Entry[]
  /** Names that were shortened or changed, to be kept. */
  changed: StoredName[]
  /** Does its selection hold that? By the server's own names. */
  selects: Selector
}

export type Entry = {
  /** As clients know it. */
  exposed: string
  /** As its server knows it. */
  name: string
  /** With the name that clients know. */
  json: string
  /** Null: one of Sluice's own. */
  source: Source | null
  own: OwnListing | null
  /** Switched off: not listed, and a call says so. */
  off: boolean
  /** Its name is that of the server with nothing but the prefix. */
  plain: boolean
}

export type ViewOptions = {
  /** All that the tenant sees, by age. */
  sources: readonly Source[]
  own: readonly OwnListing[]
  /** Null: everything. */
  portal: PortalSettings | null
  rename: Rename
}

export const defaultNameLength = 50

export function makeView({ sources: all, own, portal, rename }: ViewOptions): View {
  const selects = portal?.selects ?? everything
  const sources = all.filter(({ server }) => portal?.servers?.includes(server.name) ?? true)
  const ownTools = own
    .filter((tool) => selects(ownServerName, tool.name) && (tool.readOnly || portal?.read_only !== true))
    .map((tool) => ownEntry(tool))
  const tools = named(sources, 'tools', { portal, selects, rename, taken: own.map(({ name }) => name) })
  const prompts = named(sources, 'prompts', { portal, selects, rename, taken: [] })
  const readOnly = portal?.read_only === true
  return {
    sources,
    tools: [...ownTools, ...tools.filter(({ json }) => !readOnly || changesNothing(json))],
    prompts,
    resources: addressed(sources, 'resources', { selects, rename }),
    templates: addressed(sources, 'templates', { selects, rename }),
    changed: [...changed(tools, 'tool'), ...changed(prompts, 'prompt')],
    selects: (server, name) => (portal?.servers?.includes(server) ?? true) && selects(server, name),
  }
}

type Naming = {
  portal: PortalSettings | null
  selects: Selector
  rename: Rename
  taken: readonly string[]
}

/** Names are given before anything is left out, so that a switch never renames anything else. */
function named(sources: readonly Source[], kind: 'tools' | 'prompts', options: Naming): Entry[] {
  const { portal, selects, rename, taken } = options
  const all = sources.flatMap((source) =>
    (source.catalogue()?.lists[kind] ?? []).map((listed) => ({ source, listed })),
  )
  const names = assignNames(
    all.map(({ source: { server }, listed: { name } }) => ({
      prefix: portal?.namespace === false ? '' : (server.namespace ?? server.name),
      name,
      identity: `${server.name}/${name}`,
    })),
    { taken, maxLength: portal?.max_name_length ?? defaultNameLength, plainOnly: kind === 'tools' },
  )
  return all.flatMap(({ source, listed }, at) => {
    if (!selects(source.server.name, listed.name)) return []
    const exposed = names[at]?.name ?? listed.name
    const plain = names[at]?.plain === true
    const off = kind === 'tools' && source.server.tools[listed.name]?.enabled === false
    return [{ ...entry(source, listed, { exposed, json: rename(listed, 'name', exposed) }), off, plain }]
  })
}

/** Of a URI that two servers have the older keeps it, and the other's is led to by a form of ours. */
function addressed(
  sources: readonly Source[],
  kind: 'resources' | 'templates',
  { selects, rename }: Pick<Naming, 'selects' | 'rename'>,
): Entry[] {
  const member = kind === 'resources' ? 'uri' : 'uriTemplate'
  const used = new Set<string>()
  return sources.flatMap((source) =>
    (source.catalogue()?.lists[kind] ?? []).flatMap((listed) => {
      if (!selects(source.server.name, listed.name)) return []
      const exposed = used.has(listed.name) ? portalUri(source.server.name, listed.name) : listed.name
      used.add(exposed)
      return [entry(source, listed, { exposed, json: rename(listed, member, exposed) })]
    }),
  )
}

function entry(source: Source, { name }: Listed, shown: Pick<Entry, 'exposed' | 'json'>): Entry {
  return { ...shown, name, source, own: null, off: false, plain: true }
}

export function ownEntry(own: OwnListing): Entry {
  return { exposed: own.name, name: own.name, json: own.json, source: null, own, off: false, plain: true }
}

/** Does it say so itself? */
export function changesNothing(json: string): boolean {
  const annotations = memberOf(json, 'annotations')
  return annotations !== null && memberOf(annotations, 'readOnlyHint') === 'true'
}

function changed(entries: readonly Entry[], kind: StoredName['kind']): StoredName[] {
  return entries.flatMap(({ source, exposed, name, plain }) =>
    source === null || plain ? [] : [{ server_id: source.server.id, kind, exposed, name }],
  )
}
