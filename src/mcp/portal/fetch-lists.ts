import type { ServerFacts, Upstream } from '../upstream/upstream.ts'
import { elementsOf, memberOf, stringOf } from '../wire/raw-json.ts'
import type { Listed, ListKind, Lists } from './catalogue.ts'
import { fitItem } from './fit-item.ts'

const timeoutMs = 30_000
const maxBytes = 16 * 1024 * 1024
/** Of one kind of one server: more is a server out of its mind, and would fill every client's memory. */
const mostItems = 10_000
const mostPages = 1_000

const mostLeftOut = 20

const methods: Record<ListKind, { method: string; key: string; capability: string }> = {
  tools: { method: 'tools/list', key: 'tools', capability: 'tools' },
  prompts: { method: 'prompts/list', key: 'prompts', capability: 'prompts' },
  resources: { method: 'resources/list', key: 'resources', capability: 'resources' },
  templates: { method: 'resources/templates/list', key: 'resourceTemplates', capability: 'resources' },
}

/**
 * All that a server offers, page by page.
 * @throws UpstreamDownError, ListError
 */
export async function fetchLists(
  upstream: Upstream,
  signal: AbortSignal,
): Promise<{ facts: ServerFacts; lists: Lists; leftOut: string[] }> {
  const facts = await upstream.facts(signal)
  const leftOut: string[] = []
  const list = async (kind: ListKind) =>
    memberOf(facts.capabilities, methods[kind].capability) === null
      ? []
      : fetchList(upstream, kind, { signal, leftOut })
  const [tools, prompts, resources, templates] = await Promise.all([
    list('tools'),
    list('prompts'),
    list('resources'),
    list('templates'),
  ])
  return {
    ...{ facts, lists: { tools, prompts, resources, templates } },
    leftOut: leftOut.sort().slice(0, mostLeftOut),
  }
}

/** A server that answered a question for a list with an error, or with something else. */
export class ListError extends Error {
  override readonly name = 'ListError'
}

const methodNotFound = -32601

async function fetchList(
  upstream: Upstream,
  kind: ListKind,
  { signal, leftOut }: { signal: AbortSignal; leftOut: string[] },
): Promise<Listed[]> {
  const { method, key } = methods[kind]
  const found = new Map<string, Listed>()
  let cursor: string | null = null
  let told = 0
  for (let page = 1; ; page += 1) {
    const params: string = cursor === null ? '{}' : JSON.stringify({ cursor })
    const answer = await upstream.request({
      ...{ method, params, signal, timeoutMs, maxBytes, parent: null },
      onNotification: () => {},
    })
    if ('error' in answer) {
      // Many servers that have resources know nothing of templates.
      if (answer.error.code === methodNotFound && kind !== 'tools') return []
      throw new ListError(`${method}: ${answer.error.message}`)
    }
    const items = memberOf(answer.result, key)
    if (items === null) throw new ListError(`${method}: an answer without ${key}`)
    for (const json of elementsOf(items)) {
      told += 1
      const item = fitItem(kind, json)
      // Of two with one name nobody could call the second.
      if ('wrong' in item) leftOut.push(`${method}: ${item.wrong}`)
      else if (found.has(item.name)) leftOut.push(`${method}: ${item.name.slice(0, 100)}: there twice`)
      else found.set(item.name, item)
    }
    const next = stringOf(answer.result, 'nextCursor')
    if (next === null || next === cursor) return [...found.values()]
    if (told >= mostItems) throw new ListError(`${method}: more than ${mostItems}`)
    if (page >= mostPages) throw new ListError(`${method}: more than ${mostPages} pages`)
    cursor = next
  }
}
