import type { Answer, RawJson } from '../wire/message.ts'
import { stringOf } from '../wire/raw-json.ts'
import type { Audience } from './audience.ts'
import type { ListKind } from './catalogue.ts'
import { toolFor } from './era.ts'
import { invalid, PortalError, portalCodes } from './errors.ts'
import { type Missing, missing } from './missing.ts'
import type { ClientCall } from './portal.ts'
import type { Source } from './source.ts'

export const listMethods: Record<string, { kind: ListKind; key: string }> = {
  'tools/list': { kind: 'tools', key: 'tools' },
  'prompts/list': { kind: 'prompts', key: 'prompts' },
  'resources/list': { kind: 'resources', key: 'resources' },
  'resources/templates/list': { kind: 'templates', key: 'resourceTemplates' },
}

/** Many clients ask for one page and no more: only what nobody could want at once comes in pages. */
const pageItems = 1_000
/** How long a modern client may use a list without asking again. Changes are told to whoever listens. */
const ttlMs = 5_000

/** Waits, some seconds at most, for servers that are being asked for the first time. */
export async function settled(sources: readonly Source[], signal: AbortSignal): Promise<void> {
  const first = sources.filter((source) => source.catalogue() === null).map(({ firstTry }) => firstTry)
  if (first.length === 0 || signal.aborted) return
  let given = () => {}
  const gone = new Promise<void>((resolve) => {
    given = resolve
  })
  signal.addEventListener('abort', given)
  await Promise.race([Promise.all(first), gone])
  signal.removeEventListener('abort', given)
}

/** @throws PortalError for a cursor that is none, and where a list would be empty only because servers are down */
export function listAnswer(audience: Audience, { client, method, params }: ClientCall): Answer {
  const { kind, key } = listMethods[method] ?? { kind: 'tools', key: 'tools' }
  const all = audience.lists[kind]
  const unknown = missing(audience.sources)
  if (all.length === 0 && unknown.length > 0) throw nothingKnown(method, unknown)
  const from = startOf(stringOf(params, 'cursor'), all)
  const made = `${method} ${client.era}`
  const kept = unknown.length === 0 && from === 0
  const known = kept ? audience.pages.get(made) : undefined
  if (known !== undefined) return { result: known }
  const page = all.slice(from, from + pageItems)
  const last = from + pageItems < all.length ? page.at(-1) : undefined
  const items = page.map(({ json }) => (kind === 'tools' ? toolFor(client.era, json) : json)).join(',')
  const result = `{"${key}":[${items}]${cursorOf(last?.exposed)}${envelope(client.era, unknown)}}`
  if (kept) audience.pages.set(made, result)
  return { result }
}

function cursorOf(last: string | undefined): RawJson {
  return last === undefined ? '' : `,"nextCursor":"${Buffer.from(last).toString('base64url')}"`
}

/** After the entry that the cursor names, or where it would stand: a list may change between two pages. */
function startOf(cursor: string | null, all: Audience['lists'][ListKind]): number {
  if (cursor === null) return 0
  const after = Buffer.from(cursor, 'base64url').toString('utf8')
  if (after === '' || Buffer.from(after).toString('base64url') !== cursor) throw invalid('Invalid cursor')
  const at = all.findIndex(({ exposed }) => exposed === after)
  if (at !== -1) return at + 1
  const next = all.findIndex(({ exposed, own }) => own === null && exposed > after)
  return next === -1 ? all.length : next
}

function envelope(era: 'legacy' | 'modern', unknown: readonly Missing[]): RawJson {
  const meta = unknown.length === 0 ? '' : `,"_meta":${JSON.stringify({ 'sluice/unavailable': unknown })}`
  return era === 'legacy' ? meta : `,"resultType":"complete","ttlMs":${ttlMs},"cacheScope":"private"${meta}`
}

function nothingKnown(method: string, unknown: readonly Missing[]): PortalError {
  const which = unknown.map(({ server, reason }) => `${server}: ${reason}`).join('; ')
  return new PortalError(
    portalCodes.unavailable,
    `${method}: no server has said yet what it offers: ${which}`,
    {
      servers: unknown,
    },
  )
}
