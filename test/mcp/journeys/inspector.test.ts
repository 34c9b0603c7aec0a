import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { npmProgram } from '../../support/npm-program.ts'
import { repository } from '../../support/process.ts'
import { type Behind, startBehind } from './servers.ts'

/** 110 MB, most of it the browser's part: too much to install with everything. */
const inspector = await npmProgram('@modelcontextprotocol/inspector@2.12.0')
let behind: Behind
beforeAll(async () => {
  if (inspector !== null) behind = await startBehind()
}, 60_000)
afterAll(() => behind?.stop())

async function inspect(target: string[], ...words: string[]) {
  const launcher = join(inspector ?? '', 'clients/launcher/build/index.js')
  // It is written for a newer Node than most machines have.
  const child = Bun.spawn([process.execPath, '--bun', launcher, '--cli', ...target, ...words], {
    cwd: repository,
    env: { ...process.env, HOME: behind.gateway.dataDir },
    ...{ stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`inspector ${words.join(' ')}: ${err}${out}`)
  return JSON.parse(out)
}

const overHttp = () => {
  const { url, adminKey } = behind.gateway
  return [`${url}/mcp`, '--transport', 'http', '--header', `Authorization: Bearer ${adminKey}`]
}
const overRelay = () => {
  const { url, adminKey } = behind.gateway
  return [
    process.execPath,
    'src/processes/relay.ts',
    '-e',
    `SLUICE_URL=${url}`,
    '-e',
    `SLUICE_KEY=${adminKey}`,
  ]
}

test.skipIf(inspector === null).each([
  ['HTTP', overHttp],
  ['the relay', overRelay],
] as const)(
  'the Inspector lists and calls tools over %s',
  async (_, target) => {
    const { tools } = await inspect(target(), '--method', 'tools/list')
    expect(tools.map(({ name }: { name: string }) => name)).toContain('local__pid')
    const call = ['--method', 'tools/call', '--tool-name', 'local__pid']
    const { content } = await inspect(target(), ...call)
    expect(content[0].text).toMatch(/^\d+$/)
    const { resources } = await inspect(target(), '--method', 'resources/list')
    expect(resources.length).toBeGreaterThan(0)
  },
  60_000,
)
