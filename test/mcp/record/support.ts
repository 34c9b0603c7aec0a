import { type Interpret, interpretBy, type RecordedExchange } from '#capture'
import { interpretMcp } from '#mcp'
import { newId } from '../../../src/lib/ids.ts'
import { exchangeOf } from '../../../src/mcp/record/hop-open.ts'
import type { HopOpen } from '../../../src/mcp/record/recorder.ts'
import { interpretCall } from '../../capture/store-support.ts'
import { endOf } from '../../capture/support.ts'

export function hopOf(changes: Partial<HopOpen> = {}): HopOpen {
  return {
    hop: 'client',
    parent: null,
    transport: 'http',
    method: 'POST',
    path: '/mcp',
    headers: [['content-type', 'application/json']],
    tenant: 'default',
    keyId: null,
    mode: 'full',
    tags: [],
    peer: null,
    rpc: 'tools/call',
    name: 'github__search',
    session: 'session-1',
    toolUse: null,
    ...changes,
  }
}

export type ToolCall = {
  tool?: string
  input?: unknown
  meta?: Record<string, unknown>
  result?: unknown
  error?: { code: number; message: string }
  hop?: Partial<HopOpen>
  at?: number
}

let clock = Date.now() - 1_800_000

/** A tool call as the recorder writes it, later than all before it. */
export function toolCall(call: ToolCall = {}): RecordedExchange {
  clock += 10
  const at = call.at ?? clock
  const { tool = 'github__search', input = { q: 'bees' }, meta, error } = call
  const params = { name: tool, arguments: input, ...(meta === undefined ? {} : { _meta: meta }) }
  const request = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params }))
  const result = call.result ?? { content: [{ type: 'text', text: 'three hives' }] }
  const response = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 7, ...(error ? { error } : { result }) }))
  const open = {
    ...exchangeOf(hopOf({ name: tool, ...call.hop })),
    id: call.hop?.id ?? newId(at),
    started_at: at,
  }
  const end = { ...endOf({ first_byte_at: at + 1, ended_at: at + 4 }), seq: 1 }
  return {
    open,
    end: { ...end, request_bytes: request.length, response_bytes: response.length },
    request,
    response,
  }
}

/** Model calls of the scripted client, whose replies name tool uses as `[use <id> <name>]`; and MCP. */
export const interpretBoth: Interpret = interpretBy({ mcp: interpretMcp }, (exchange) => {
  const means = interpretCall(exchange)
  const uses = means.reply?.text.matchAll(/\[use (\S+) (\S+)\]/g) ?? []
  return { ...means, tool_uses: [...uses].map(([, id = '', name = '']) => ({ id, name })) }
})
