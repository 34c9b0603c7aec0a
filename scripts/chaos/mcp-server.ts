/**
 * An MCP server over stdio that tells a journal each number that it was called with, before it answers:
 * `bun mcp-server.ts <url of the journal>`.
 */
import { eachLine } from '#lib/lines'

type Frame = {
  id?: string | number
  method?: string
  params?: { arguments?: { number?: string } }
}

const journal = process.argv[2] ?? ''
const tools = [
  {
    ...{ name: 'echo', description: 'Answers with its number' },
    inputSchema: { type: 'object', properties: { number: { type: 'string' } } },
  },
]

await eachLine(Bun.stdin.stream(), (line) => void take(JSON.parse(line) as Frame))

async function take({ id, method, params }: Frame): Promise<void> {
  if (id === undefined) return
  if (method === 'initialize') {
    const capabilities = { tools: {} }
    return answer(id, {
      result: { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'chaos', version: '1' } },
    })
  }
  if (method === 'tools/list') return answer(id, { result: { tools } })
  if (method !== 'tools/call') return answer(id, { error: { code: -32601, message: 'Method not found' } })
  const number = params?.arguments?.number ?? ''
  await Bun.sleep(Math.random() * 20)
  await fetch(`${journal}/${number}`, { method: 'POST' })
  answer(id, { result: { content: [{ type: 'text', text: number }] } })
}

function answer(id: string | number, body: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...body })}\n`)
}
