import { type Annotation, annotationsOf, headersFor } from '../upstream/http/tool-headers.ts'
import type { RawJson, RequestMessage } from '../wire/message.ts'
import { elementsOf, memberOf, stringOf } from '../wire/raw-json.ts'

/** What the lists of tools that passed say of them. */
export type ToolBook = {
  learn(result: RawJson): void
  /** Which arguments HTTP repeats in headers. */
  headers(request: RequestMessage): Record<string, string>
  /** Tools that may be called twice. */
  safe: ReadonlySet<string>
}

export function openToolBook(): ToolBook {
  const annotations = new Map<string, Annotation[]>()
  const safe = new Set<string>()
  return {
    learn(result) {
      for (const tool of elementsOf(memberOf(result, 'tools') ?? '[]')) {
        const name = stringOf(tool, 'name') ?? ''
        const hints = memberOf(tool, 'annotations') ?? '{}'
        const harmless = ['readOnlyHint', 'idempotentHint'].some((hint) => memberOf(hints, hint) === 'true')
        if (harmless) safe.add(name)
        else safe.delete(name)
        annotations.set(name, annotated(memberOf(tool, 'inputSchema') ?? '{}'))
      }
    },
    headers({ method, params }) {
      const found = method === 'tools/call' ? annotations.get(stringOf(params, 'name') ?? '') : undefined
      if (found === undefined || found.length === 0) return {}
      return Object.fromEntries(headersFor(found, JSON.parse(memberOf(params, 'arguments') ?? '{}')))
    },
    safe,
  }
}

function annotated(schema: RawJson): Annotation[] {
  if (!schema.includes('x-mcp-header')) return []
  try {
    return annotationsOf(JSON.parse(schema))
  } catch {
    // Wrong ones bind nobody.
    return []
  }
}
