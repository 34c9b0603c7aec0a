import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { serveEverything } from '../fixtures/everything-http.ts'
import {
  callOf,
  client,
  errorOf,
  type Harness,
  isOwn,
  listening,
  openHarness,
  resultOf,
  scripted,
  tool,
  toolNames,
} from './support.ts'

setDefaultTimeout(30_000)
let harness: Harness

beforeEach(async () => {
  harness = await openHarness()
})
afterEach(async () => await harness.stop())

test('C9: a server that dies keeps its last known tools, and a call says that it is down and when it is tried next', async () => {
  const server = scripted({ tools: [tool('one')] })
  await harness.add({ name: 'it', ...server.row })
  expect(await toolNames(harness.portal)).toEqual(['it__one'])
  const { told } = listening(harness.portal)
  // The same row, with a program that is no more: as an update of a package would leave it.
  await harness.change('it', { args: ['/nowhere/server.ts'] })
  await until('it is down', () => /cannot be reached/.test(harness.portal.offer(client()).instructions ?? ''))
  expect(await toolNames(harness.portal)).toEqual(['it__one'])
  const error = errorOf(await harness.portal.request(callOf('tools/call', { name: 'it__one' })))
  expect(error.message).toMatch(/it/)
  expect(error.message).toMatch(/next try/)
  expect(error.message).not.toContain('\n')
  expect(JSON.parse(error.data ?? '')).toMatchObject({ server: 'it', status: 'waiting' })
  await harness.change('it', { args: server.row.args })
  await until('it works again', async () => {
    const answer = await harness.portal.request(callOf('tools/call', { name: 'it__one' }))
    return 'result' in answer
  })
  expect(told).toEqual([])
})

test('C9: an expired token never gives an empty list: the last one is kept, and the reason is shown', async () => {
  const server = scripted({ tools: [tool('one')] })
  const id = await harness.add({ name: 'it', ...server.row })
  expect(await toolNames(harness.portal)).toEqual(['it__one'])
  server.offer({ tools: [tool('one')], failing: 'tools/list' })
  await until('the reason shows', () => /token expired/.test(harness.portal.reports.report(id)?.reason ?? ''))
  expect(await toolNames(harness.portal)).toEqual(['it__one'])
  server.set({ tools: [tool('two')] })
  await until('it is asked again by itself', async () => (await toolNames(harness.portal))[0] === 'it__two')
})

test('C9: a server that begins to answer 401 keeps its tools, shows why, and is back with the new credential', async () => {
  const everything = serveEverything()
  let valid = 'one'
  const guard = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1', idleTimeout: 0 },
    fetch(request) {
      if (request.headers.get('authorization') !== `Bearer ${valid}`)
        return new Response('no', { status: 401 })
      return fetch(everything.url, {
        ...request,
        method: request.method,
        headers: request.headers,
        body: request.body,
      })
    },
  })
  const url = `http://127.0.0.1:${guard.port}/mcp`
  const id = await harness.add({
    name: 'it',
    transport: 'http',
    url,
    headers: { authorization: 'Bearer one' },
  })
  const before = await toolNames(harness.portal)
  expect(before.length).toBeGreaterThan(5)
  valid = 'two'
  await harness.portal.reports.refresh(id, new AbortController().signal)
  expect(harness.portal.reports.report(id)?.reason).toContain('401')
  expect(await toolNames(harness.portal)).toEqual(before)
  const call = callOf('tools/call', { name: 'it__test_simple_text', arguments: {} })
  expect(errorOf(await harness.portal.request(call)).message).toContain('401')
  await harness.change('it', { headers: { authorization: 'Bearer two' } })
  await until('it works again', async () => 'result' in (await harness.portal.request(call)))
  expect(await toolNames(harness.portal)).toEqual(before)
  await guard.stop(true)
  await everything.stop()
})

test('C5, C9: one server with two credentials is two rows, each with a process of its own, and both lists are whole', async () => {
  const server = scripted({ tools: [tool('one')] })
  await harness.add({ name: 'mine', ...server.row, env: { ...server.row.env, TOKEN: 'a' } })
  await harness.add({ name: 'yours', ...server.row, env: { ...server.row.env, TOKEN: 'b' } })
  const clients = Array.from({ length: 20 }, (_, at) => client({ session: `s${at}` }))
  const lists = await Promise.all(clients.map((of) => toolNames(harness.portal, of)))
  expect(lists).toEqual(clients.map(() => ['mine__one', 'yours__one']))
  expect(harness.upstreams.pids()).toHaveLength(2)
})

test('C9: where no server could be reached yet, a list is an error that says why, or says so beside what there is', async () => {
  await harness.add({ name: 'broken', command: '/nowhere/server', args: [] })
  const prompts = errorOf(await harness.portal.request(callOf('prompts/list')))
  expect(prompts.message).toContain('broken')
  expect(JSON.parse(prompts.data ?? '').servers[0].server).toBe('broken')
  const list = resultOf(await harness.portal.request(callOf('tools/list')))
  expect(list.tools.every(({ name }: { name: string }) => isOwn(name))).toBe(true)
  expect(list._meta['sluice/unavailable'][0]).toMatchObject({ server: 'broken' })
  expect(harness.portal.offer(client()).instructions).toContain('broken')
  const shown = await harness.portal.request(callOf('tools/call', { name: 'portal_list_servers' }))
  expect(resultOf(shown).structuredContent.servers[0]).toMatchObject({
    name: 'broken',
    enabled: true,
    tools: 0,
  })
})

test('a server that never answers delays nobody for long, and its calls alone end by their time limit', async () => {
  await harness.add({ name: 'mute', ...scripted({ silent: 'initialize' }).row })
  await harness.add({
    name: 'slow',
    ...scripted({ tools: [tool('wait')], silent: 'tools/call' }).row,
    timeout_ms: 200,
  })
  await harness.add({ name: 'quick', ...scripted({ tools: [tool('echo')] }).row })
  const startedAt = performance.now()
  expect(await toolNames(harness.portal)).toEqual(['quick__echo', 'slow__wait'])
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  const slow = harness.portal.request(callOf('tools/call', { name: 'slow__wait' }))
  expect('result' in (await harness.portal.request(callOf('tools/call', { name: 'quick__echo' })))).toBe(true)
  expect(errorOf(await slow).message).toMatch(/200 ms|time/)
})

test('a time limit of one tool goes before that of its server', async () => {
  const row = scripted({ tools: [tool('wait')], silent: 'tools/call' }).row
  await harness.add({ name: 'slow', ...row, tools: { wait: { timeout_ms: 150 } } })
  await toolNames(harness.portal)
  const startedAt = performance.now()
  errorOf(await harness.portal.request(callOf('tools/call', { name: 'slow__wait' })))
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})

test('a gateway starts without its database and with its servers down, and knows what they offered', async () => {
  await harness.add({ name: 'it', ...scripted({ tools: [tool('one')] }).row })
  expect(await toolNames(harness.portal)).toEqual(['it__one'])
  await harness.change('it', { args: ['/nowhere/server.ts'] })
  const { folder, database } = harness
  await harness.portal.close()
  await harness.servers.close()
  const again = await openHarness({ folder, database: { ...database, sql: unreachable(database.sql) } })
  expect(await toolNames(again.portal)).toEqual(['it__one'])
  await again.stop()
})

/** A database that does not answer. */
function unreachable(sql: Harness['database']['sql']): Harness['database']['sql'] {
  const never = () => Promise.reject(new Error('connection refused'))
  return Object.assign(never, sql, { begin: never, listen: never }) as unknown as typeof sql
}
