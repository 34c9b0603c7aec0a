import type { Scope, Tool, ToolContext } from '#access'
import type { Answer, RawJson } from '../wire/message.ts'
import { describeTool } from './describe.ts'
import { type OnError, runTool } from './run-tool.ts'

/** Sluice's own tools as a server behind the portal: it is asked directly, and needs no connection. */
export type OwnServer = {
  list: readonly OwnListing[]
  /** Never rejects. Wrong arguments, and what the caller can mend, are a result with `isError`. */
  call(name: string, args: RawJson, context: ToolContext): Promise<Answer>
  /** Those whose arguments hold a secret. */
  sensitive: ReadonlySet<string>
}

export type OwnListing = {
  name: string
  /** What a caller needs to see and to call it. */
  scope: Scope
  readOnly: boolean
  /** Its entry in `tools/list`. */
  json: RawJson
}

const unknownTool = -32602

/** `onError` is told of what no caller can mend. */
export function openOwn(tools: readonly Tool[], onError: OnError = () => {}): OwnServer {
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  const list = [...byName.values()]
    .map((tool) => ({
      ...{ name: tool.name, scope: tool.scope, readOnly: tool.readOnly },
      json: JSON.stringify(describeTool(tool)),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))

  return {
    list,
    async call(name, args, context) {
      const tool = byName.get(name)
      if (tool !== undefined)
        return { result: JSON.stringify(await runTool(tool, args, { ...context, onError })) }
      return { error: { code: unknownTool, message: `Unknown tool: ${name.slice(0, 100)}` } }
    },
    sensitive: new Set(tools.filter((tool) => tool.sensitive === true).map((tool) => tool.name)),
  }
}
