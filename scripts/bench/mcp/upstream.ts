/**
 * An MCP server that costs next to nothing: `bun upstream.ts` prints its port. Its tools answer at once, or after
 * `ms`; each call's `number` comes back.
 */
type Call = { id?: string | number; method: string; params?: { name?: string; arguments?: Arguments } }
type Arguments = { ms?: number; number?: string }

const tools = ['echo', 'other'].map((name) => ({
  ...{ name, description: 'Answers with its number' },
  inputSchema: { type: 'object', properties: { ms: { type: 'integer' }, number: { type: 'string' } } },
}))

const results: Record<string, () => object> = {
  initialize: () => ({
    ...{ protocolVersion: '2025-11-25', capabilities: { tools: { listChanged: true } } },
    serverInfo: { name: 'bench', version: '1' },
  }),
  'tools/list': () => ({ tools }),
  ping: () => ({}),
}

const server = Bun.serve({
  ...{ hostname: '127.0.0.1', port: 0, idleTimeout: 255 },
  async fetch(request) {
    if (request.method !== 'POST') return new Response(null, { status: 405 })
    const { id, method, params } = (await request.json()) as Call
    if (id === undefined) return new Response(null, { status: 202 })
    if (method === 'tools/call') {
      const { ms = 0, number = '' } = params?.arguments ?? {}
      if (ms > 0) await Bun.sleep(ms)
      return Response.json({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: number }] } })
    }
    const result = results[method]?.()
    if (result !== undefined) return Response.json({ jsonrpc: '2.0', id, result })
    const error = { code: -32601, message: 'Method not found' }
    return Response.json({ jsonrpc: '2.0', id, error }, { status: 404 })
  },
})
console.log(server.port)
