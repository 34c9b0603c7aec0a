import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../../support/process.ts'
import { until } from '../../support/until.ts'
import { startGateway, type TestGateway } from '../gateway.ts'
import { modern } from './support.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startGateway()
  const args = [join(repository, 'test/mcp/fixtures/everything-stdio.ts')]
  const server = { name: 'all', transport: 'stdio', command: process.execPath, args }
  await gateway.api('POST', '/api/mcp/servers', server)
}, 40_000)

afterAll(() => gateway.stop())

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** A client of either era that comes, listens, calls, and goes without a word. */
async function comeAndGo(nth: number): Promise<void> {
  const url = `${gateway.url}/mcp`
  const headers = { ...json, authorization: `Bearer ${gateway.adminKey}` }
  const gone = new AbortController()
  if (nth % 2 === 0) {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'x', version: '1' },
    }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
    const begun = await fetch(url, { method: 'POST', headers, body })
    await begun.text()
    const session = { ...headers, 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' }
    const stream = await fetch(url, { headers: session, signal: gone.signal })
    expect(stream.status).toBe(200)
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'all__pid', arguments: {} } }
    const answer = await fetch(url, { method: 'POST', headers: session, body: JSON.stringify(call) })
    expect(await answer.text()).toContain('"result"')
  } else {
    const listen = modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
    const init = { method: 'POST', headers: { ...headers, ...listen.headers }, signal: gone.signal }
    const stream = await fetch(url, { ...init, body: JSON.stringify(listen.body) })
    expect(stream.status).toBe(200)
  }
  gone.abort()
}

async function many(count: number): Promise<void> {
  let next = 0
  const workers = Array.from({ length: 16 }, async () => {
    while (next < count) {
      next += 1
      await comeAndGo(next)
    }
  })
  await Promise.all(workers)
}

const files = () => readdirSync(`/proc/${gateway.process().pid}/fd`).length
const sockets = () => {
  const folder = `/proc/${gateway.process().pid}/fd`
  return readdirSync(folder).filter((name) => linkOf(join(folder, name)).startsWith('socket:')).length
}
const linkOf = (path: string) => {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
const megabytes = () => {
  const status = readFileSync(`/proc/${gateway.process().pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}
const children = () =>
  readFileSync(`/proc/${gateway.process().pid}/task/${gateway.process().pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((pid) => pid !== '').length

test('C4, C13: 1,000 clients that come and go leave processes, handles and memory as they were', async () => {
  await many(200)
  await until('streams are closed', () => sockets() < 40)
  const before = { files: files(), sockets: sockets(), children: children(), megabytes: megabytes() }
  await many(1_000)
  await until('handles are as before', () => files() <= before.files + 8 && sockets() <= before.sockets + 5)
  expect(children()).toBe(before.children)
  console.log(
    `RSS ${Math.round(before.megabytes)} MB before, ${Math.round(megabytes())} MB after 1,000 clients`,
  )
  expect(megabytes() - before.megabytes).toBeLessThan(80)
}, 90_000)
