import type { RawJson } from '../../wire/message.ts'
import { elementsOf, memberOf, stringOf, withMember } from '../../wire/raw-json.ts'
import type { Connection, Repeated } from '../connection.ts'
import type { UpstreamCall } from '../upstream.ts'
import { type Annotation, annotationsOf, headersFor } from './tool-headers.ts'

/** Knows which arguments of which tools HTTP repeats in headers, from the lists of tools that pass. */
export type Mirror = {
  headers(call: Pick<UpstreamCall, 'method' | 'params'>): Promise<Repeated>
  /** Takes a page of `tools/list`, and gives it back without tools that the specification forbids to show. */
  learn(result: RawJson): RawJson
  /** Asks for the list. False where it cannot be had. */
  refresh(): Promise<boolean>
}

const mostPages = 100

export function openMirror(connection: Connection, warn: (why: string) => void): Mirror {
  const tools = new Map<string, Annotation[]>()
  let listed: Promise<boolean> | null = null

  function learn(result: RawJson): RawJson {
    const all = elementsOf(memberOf(result, 'tools') ?? '[]')
    const kept = all.filter(learnTool)
    return kept.length === all.length ? result : withMember(result, 'tools', `[${kept.join(',')}]`)
  }

  function learnTool(tool: RawJson): boolean {
    const name = stringOf(tool, 'name') ?? ''
    const schema = memberOf(tool, 'inputSchema') ?? '{}'
    try {
      tools.set(name, schema.includes('x-mcp-header') ? annotationsOf(JSON.parse(schema)) : [])
      return true
    } catch (error) {
      warn(`the tool ${name} is left out: ${error instanceof Error ? error.message : ''}`)
      return false
    }
  }

  async function list(): Promise<boolean> {
    let params: RawJson = '{}'
    for (let page = 0; page < mostPages; page += 1) {
      const { answer } = await connection.ask({ method: 'tools/list', params, timeoutMs: 10_000 })
      if ('error' in answer) return false
      learn(answer.result)
      const cursor = memberOf(answer.result, 'nextCursor')
      if (cursor === null || cursor === 'null') return true
      params = withMember('{}', 'cursor', cursor)
    }
    return true
  }

  return {
    learn,
    refresh: () => list(),
    async headers({ method, params }) {
      if (method !== 'tools/call') return []
      const name = stringOf(params, 'name') ?? ''
      if (!tools.has(name)) {
        listed ??= list()
        await listed
      }
      const annotations = tools.get(name) ?? []
      return annotations.length === 0 ? [] : headersFor(annotations, argumentsOf(params))
    },
  }
}

function argumentsOf(params: RawJson): unknown {
  const args = memberOf(params, 'arguments')
  return args === null ? {} : JSON.parse(args)
}
