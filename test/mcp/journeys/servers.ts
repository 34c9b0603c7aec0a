import { repository } from '../../support/process.ts'
import { type EverythingHttp, serveEverything } from '../fixtures/everything-http.ts'
import { startGateway, type TestGateway } from '../gateway.ts'

/** A gateway with two servers behind it: one that it starts itself, and one over HTTP. */
export type Behind = {
  gateway: TestGateway
  http: EverythingHttp
  headers: Record<string, string>
  stop(): Promise<void>
}

export async function startBehind(): Promise<Behind> {
  const http = serveEverything()
  const gateway = await startGateway()
  await addServer(gateway, {
    ...{ name: 'local', transport: 'stdio', command: process.execPath, cwd: repository },
    args: ['test/mcp/fixtures/everything-stdio.ts'],
  })
  await addServer(gateway, { name: 'remote', transport: 'http', url: http.url })
  return {
    ...{ gateway, http, headers: { authorization: `Bearer ${gateway.adminKey}` } },
    async stop() {
      await gateway.stop()
      await http.stop()
    },
  }
}

export async function addServer(gateway: TestGateway, server: object): Promise<void> {
  await gateway.api('POST', '/api/mcp/servers', { enabled: true, ...server })
}
