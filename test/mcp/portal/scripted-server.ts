/**
 * A legacy MCP server on stdio that offers whatever the file named by SPEC says, byte for byte, now. A line `tell` in
 * the file beside it (SPEC.tell) is told as a notification within milliseconds.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

export type ScriptedSpec = {
  tools?: unknown[]
  /** JSON texts of tools, as they are. */
  rawTools?: string[]
  prompts?: unknown[]
  resources?: unknown[]
  templates?: unknown[]
  instructions?: string
  /** It does not tell of changes. */
  quiet?: boolean
  /** Items a page. */
  page?: number
  /** Every page is the same, and has one after it. */
  endless?: boolean
  /** What `prompts/get` and `resources/read` are answered. */
  results?: Record<string, object>
  /** Method that is answered with an error. */
  failing?: string
  /** Method that is never answered. */
  silent?: string
}

const file = process.env.SPEC ?? ''
const spec = () => JSON.parse(readFileSync(file, 'utf8')) as ScriptedSpec
const say = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

function page(id: unknown, key: string, items: string[], cursor: string | undefined): void {
  const size = spec().page ?? items.length
  const from = Number(cursor ?? 0)
  if (spec().endless === true) {
    const body = `{"${key}":[${items.join(',')}],"nextCursor":"${Number(cursor ?? 0) + 1}"}`
    process.stdout.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${body}}\n`)
    return
  }
  const next = from + size < items.length ? `,"nextCursor":"${from + size}"` : ''
  const body = `{"${key}":[${items.slice(from, from + size).join(',')}]${next}}`
  process.stdout.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${body}}\n`)
}

if (import.meta.main) {
  // What was there before it started is not for it.
  let told = existsSync(`${file}.tell`) ? readFileSync(`${file}.tell`).length : 0
  setInterval(() => {
    if (!existsSync(`${file}.tell`)) return
    const bytes = readFileSync(`${file}.tell`)
    const end = bytes.lastIndexOf(0x0a) + 1
    if (end > told) process.stdout.write(bytes.subarray(told, end))
    told = Math.max(told, end)
  }, 5)
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line)
    appendFileSync(`${file}.seen`, `${line}\n`)
    if (id === undefined || method === undefined) continue
    const { failing, silent, instructions, quiet } = spec()
    const listChanged = quiet !== true
    if (method === silent) continue
    if (method === failing) say({ id, error: { code: -32603, message: 'token expired' } })
    else if (method === 'initialize')
      say({
        id,
        result: {
          protocolVersion: '2025-11-25',
          serverInfo: { name: 'scripted', version: '1' },
          capabilities: {
            tools: { listChanged },
            prompts: { listChanged },
            resources: { subscribe: true, listChanged },
          },
          ...(instructions === undefined ? {} : { instructions }),
        },
      })
    else if (method === 'ping') say({ id, result: {} })
    else if (method === 'tools/list')
      page(
        id,
        'tools',
        spec().rawTools ?? (spec().tools ?? []).map((one) => JSON.stringify(one)),
        params?.cursor,
      )
    else if (method === 'prompts/list')
      page(
        id,
        'prompts',
        (spec().prompts ?? []).map((one) => JSON.stringify(one)),
        params?.cursor,
      )
    else if (method === 'resources/list')
      page(
        id,
        'resources',
        (spec().resources ?? []).map((one) => JSON.stringify(one)),
        params?.cursor,
      )
    else if (method === 'resources/templates/list')
      page(
        id,
        'resourceTemplates',
        (spec().templates ?? []).map((one) => JSON.stringify(one)),
        params?.cursor,
      )
    else if (method === 'tools/call' && params.name === 'structured')
      say({ id, result: { content: [], structuredContent: [1, 2] } })
    else if (method === 'tools/call')
      say({ id, result: { content: [{ type: 'text', text: JSON.stringify(params) }], extra: 1.5 } })
    else if (method === 'resources/subscribe' || method === 'resources/unsubscribe') say({ id, result: {} })
    else if (spec().results?.[method] !== undefined) say({ id, result: spec().results?.[method] })
    else if (method === 'prompts/get' || method === 'resources/read' || method === 'completion/complete')
      say({ id, result: { echo: params } })
    else say({ id, error: { code: -32601, message: 'Method not found' } })
  }
  process.exit(0)
}
