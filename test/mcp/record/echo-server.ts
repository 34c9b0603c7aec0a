/** A server of one tool that says what it was told, or that it could not. */
import { eachLine } from '../../../src/lib/lines.ts'

type Asked = { id?: number; method: string; params?: { arguments?: { text?: string; fail?: boolean } } }

await eachLine(Bun.stdin.stream(), (line) => {
  const { id, method, params } = JSON.parse(line) as Asked
  if (id === undefined) return
  process.stdout.write(
    `${JSON.stringify({ jsonrpc: '2.0', id, result: answer(method, params?.arguments) })}\n`,
  )
})

function answer(method: string, given: { text?: string; fail?: boolean } = {}): unknown {
  if (method === 'initialize') {
    return {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'echo', version: '1' },
    }
  }
  if (method === 'tools/list') return { tools: [{ name: 'say', inputSchema: { type: 'object' } }] }
  if (method === 'tools/call') {
    return { isError: given.fail === true, content: [{ type: 'text', text: `heard ${given.text}` }] }
  }
  return {}
}
