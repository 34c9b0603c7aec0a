export const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** What goes with a request of 2026-07-28. */
export function modernHeaders(method: string, name?: string): Record<string, string> {
  return {
    ...{ accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28' },
    ...{ 'mcp-method': method, ...(name === undefined ? {} : { 'mcp-name': name }) },
  }
}

/** A call as a client of 2026-07-28 sends it. */
export function callFrame(name: string, args: object): string {
  const params = { name, arguments: args, _meta: modernMeta }
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
}
