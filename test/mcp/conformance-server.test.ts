import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { repository, spawnProcess } from '../support/process.ts'
import { type EverythingHttp, serveEverything } from './fixtures/everything-http.ts'
import { startGateway, type TestGateway } from './gateway.ts'

/**
 * The official suite for servers, run through the portal: the gateway in between must not be noticed. Its client can
 * send no credential of its own, so it comes by secret addresses.
 */
const suite = join(repository, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')

/** Run by the suite, and not scored by it: all the same it holds. */
const more: Record<string, string[]> = {
  '2026-07-28': ['json-schema-2020-12', 'http-header-validation', 'http-custom-header-server-validation'],
  '2025-11-25': ['json-schema-2020-12', 'server-session-lifecycle'],
}

let gateway: TestGateway
let both: EverythingHttp
let legacy: EverythingHttp
const addresses = new Map<string, string>()

beforeAll(async () => {
  both = serveEverything()
  legacy = serveEverything({ eras: ['legacy'] })
  gateway = await startGateway()
  const command = process.execPath
  const args = [join(repository, 'test/mcp/fixtures/everything-stdio.ts')]
  await behind('both', { transport: 'http', url: both.url })
  await behind('legacy', { transport: 'http', url: legacy.url })
  await behind('stdio', { transport: 'stdio', command, args })
}, 40_000)

afterAll(async () => {
  await gateway.stop()
  await both.stop()
  await legacy.stop()
})

/** A server, a portal that has it alone and its names as they are, and an address of that portal. */
async function behind(name: string, server: object): Promise<void> {
  await gateway.api('POST', '/api/mcp/servers', { name, ...server })
  await gateway.api('PUT', `/api/mcp/portals/${name}`, { servers: [name], namespace: false })
  const made = await gateway.api<{ url_path: string }>('POST', '/api/mcp/urls', { portal: name })
  addresses.set(name, `${gateway.url}${made.url_path}`)
}

test.each([
  // What a server of the new era asks is translated for clients of before.
  ['2026-07-28', 'both', 'over HTTP'],
  ['2025-11-25', 'both', 'over HTTP'],
  ['2025-11-25', 'legacy', 'over HTTP, that knows sessions only'],
  ['2026-07-28', 'stdio', 'on stdio'],
  ['2025-11-25', 'stdio', 'on stdio'],
])(
  'through the portal, all that %s requires holds for the server "%s" %s',
  async (revision, server) => {
    const url = addresses.get(server) ?? ''
    const run = spawnProcess([process.execPath, suite, 'server', '--url', url, '--requirements', revision], {
      cwd: temporaryFolder(),
    })
    const code = await run.exited
    const output = run.lines.join('\n')
    const failures = run.lines.filter((line) => /✗|FAILURE|Error:|Not testable/.test(line)).join('\n')
    expect(code, failures).toBe(0)
    for (const scenario of more[revision] ?? []) expect(output).toMatch(new RegExp(`✓ ${scenario}: `))
    console.log(`${revision}, ${server}: ${run.lines.find((line) => line.startsWith('Total:')) ?? output}`)
  },
  60_000,
)
