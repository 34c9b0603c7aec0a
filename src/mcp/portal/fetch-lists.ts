import type { ServerFacts, Upstream } from '../upstream/upstream.ts'
import { elementsOf, memberOf, stringOf } from '../wire/raw-json.ts'
import type { Listed, ListKind, Lists } from './catalogue.ts'

const timeoutMs = 30_000
const maxBytes = 16 * 1024 * 1024
/** Of one kind of one server: more is a server out of its mind, and would fill every client's memory. */
const mostItems = 10_000

const methods: Record<ListKind, { method: string; key: string; named: string; capability: string }> = {
  tools: { method: 'tools/list', key: 'tools', named: 'name', capability: 'tools' },
  prompts: { method: 'prompts/list', key: 'prompts', named: 'name', capability: 'prompts' },
  resources: { method: 'resources/list', key: 'resources', named: 'uri', capability: 'resources' },
  templates: {
    ...{ method: 'resources/templates/list', key: 'resourceTemplates' },
    ...{ named: 'uriTemplate', capability: 'resources' },
  },
}

/**
 * All that a server offers, page by page.
 * @throws UpstreamDownError, ListError
 */
export async function fetchLists(
  upstream: Upstream,
  signal: AbortSignal,
): Promise<{ facts: ServerFacts; lists: Lists }> {
  const facts = await upstream.facts(signal)
  const list = async (kind: ListKind) =>
    memberOf(facts.capabilities, methods[kind].capability) === null ? [] : fetchList(upstream, kind, signal)
  const [tools, prompts, resources, templates] = await Promise.all([
    list('tools'),
    list('prompts'),
    list('resources'),
    list('templates'),
  ])
  return { facts, lists: { tools, prompts, resources, templates } }
}

/** A server that answered a question for a list with an error, or with something else. */
export class ListError extends Error {
  override readonly name = 'ListError'
}

const methodNotFound = -32601

async function fetchList(upstream: Upstream, kind: ListKind, signal: AbortSignal): Promise<Listed[]> {
  const { method, key, named } = methods[kind]
  const found = new Map<string, Listed>()
  let cursor: string | null = null
  for (;;) {
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
      const name = stringOf(json, named)
      // Of two with one name nobody could call the second.
      if (name !== null && !found.has(name)) found.set(name, { name, json })
    }
    const next = stringOf(answer.result, 'nextCursor')
    if (next === null || next === cursor) return [...found.values()]
    if (found.size >= mostItems) throw new ListError(`${method}: more than ${mostItems}`)
    cursor = next
  }
}
