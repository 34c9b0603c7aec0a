/** How often each call reached the server behind the portal. */
export type McpJournal = { url: string; called: Map<string, number>; stop(): Promise<void> }

export function startMcpJournal(): McpJournal {
  const called = new Map<string, number>()
  const server = Bun.serve({
    ...{ hostname: '127.0.0.1', port: 0 },
    fetch(request) {
      const number = new URL(request.url).pathname.slice(1)
      called.set(number, (called.get(number) ?? 0) + 1)
      return new Response(null, { status: 204 })
    },
  })
  return { url: `http://127.0.0.1:${server.port}`, called, stop: () => server.stop(true) }
}
