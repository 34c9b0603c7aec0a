import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { repository } from '../../support/process.ts'
import { callOf, endRelays, initialize, startRelay } from '../relay/support.ts'
import { type Behind, startBehind } from './servers.ts'

let behind: Behind
beforeAll(async () => {
  behind = await startBehind()
}, 60_000)
afterEach(endRelays)
afterAll(() => behind.stop())

test('mcp-remote works through the gateway, and tells its client of a toggle', async () => {
  const { url, adminKey, dataDir } = behind.gateway
  const program = join(repository, 'node_modules/mcp-remote/dist/proxy.js')
  const words = [
    `${url}/mcp`,
    '--allow-http',
    '--transport',
    'http-only',
    '--header',
    // Filled in by it, so that no key is on a command line.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is no template of ours
    'Authorization:${AUTH}',
  ]
  const remote = startRelay(url, {
    command: [process.execPath, program, ...words],
    env: { AUTH: `Bearer ${adminKey}`, HOME: dataDir, MCP_REMOTE_CONFIG_DIR: dataDir },
  })
  expect((await initialize(remote)).result.serverInfo.name).toBe('sluice')
  const { result } = await remote.ask('tools/list')
  expect(result.tools.map(({ name }: { name: string }) => name)).toContain('local__pid')
  expect((await remote.ask('tools/call', callOf('local__pid'))).result.content[0].text).toMatch(/^\d+$/)
  const toggle = callOf('portal_toggle_single_server', { server: 'remote', enabled: false })
  expect((await remote.ask('tools/call', toggle)).result.isError).not.toBe(true)
  await remote.frame('the change', ({ method }) => method === 'notifications/tools/list_changed')
}, 60_000)
