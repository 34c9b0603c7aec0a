import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { Client } from '@modelcontextprotocol/client'
import { until } from '../../support/until.ts'
import { callOf, endRelays, initialize, modernMeta, startRelay } from '../relay/support.ts'
import { httpTransport, textOf } from './clients.ts'
import { type Behind, startBehind } from './servers.ts'

let behind: Behind
beforeAll(async () => {
  behind = await startBehind()
}, 60_000)
afterEach(endRelays)
afterAll(() => behind.stop())

describe('C3: kill -9 of the gateway', () => {
  test('loses no session of a client that knows nothing of it', async () => {
    let changes = 0
    const onChanged = () => {
      changes += 1
    }
    const client = new Client(
      { name: 'official', version: '1' },
      {
        listChanged: {
          tools: { onChanged, debounceMs: 0, autoRefresh: false },
        },
      },
    )
    const transport = httpTransport(behind)
    await client.connect(transport)
    const session = transport.sessionId
    expect(textOf(await client.callTool({ name: 'local__pid', arguments: {} }))).toMatch(/^\d+$/)
    await behind.gateway.restart()
    expect(textOf(await client.callTool({ name: 'local__pid', arguments: {} }))).toMatch(/^\d+$/)
    expect(transport.sessionId).toBe(session)
    await until('the stream is open again, and tells that lists may have changed', () => changes > 0, 15_000)
    await client.close()
  })

  test.each(['legacy', 'modern'] as const)('is bridged by a relay for a %s client', async (era) => {
    const relay = startRelay(behind.gateway.url, { key: behind.gateway.adminKey, patience: 20 })
    if (era === 'legacy') await initialize(relay)
    const call = () => relay.ask('tools/call', callOf('local__pid', {}, era === 'modern'), 20_000)
    expect((await call()).result.content[0].text).toMatch(/^\d+$/)
    if (era === 'modern') {
      const params = { notifications: { toolsListChanged: true }, _meta: modernMeta }
      relay.send({ jsonrpc: '2.0', id: 'sub', method: 'subscriptions/listen', params })
      await relay.frame('the acknowledgement', ({ method }) => method?.endsWith('/acknowledged'))
    }
    await behind.gateway.process().kill('SIGKILL')
    const restarted = behind.gateway.restart()
    expect((await call()).result.content[0].text).toMatch(/^\d+$/)
    await restarted
    await relay.frame(
      'that lists may have changed',
      ({ method }) => method === 'notifications/tools/list_changed',
      15_000,
    )
  })

  test('in the middle of a call ends it with an error, on the stream that the relay takes up', async () => {
    const relay = startRelay(behind.gateway.url, { key: behind.gateway.adminKey, patience: 20 })
    await initialize(relay)
    const answer = relay.ask('tools/call', callOf('local__wait', { ms: 600_000 }), 30_000)
    await until('the stream of the call is open', isStreaming)
    await behind.gateway.restart()
    const { error } = await answer
    expect(error.message).toMatch(/died before its answer|effect is not known/)
    expect((await relay.ask('tools/call', callOf('local__pid'))).result.content[0].text).toMatch(/^\d+$/)
  })
})

/** Has the stream of a call begun? Its first event, which has an id only, is on the spool within 100 ms. */
async function isStreaming(): Promise<boolean> {
  const { dataDir } = behind.gateway
  for await (const path of new Bun.Glob('spool/*/open/*').scan({ cwd: dataDir, absolute: true }))
    if (
      /id: [0-9a-f-]{36}_0\n/.test(
        await Bun.file(path)
          .text()
          .catch(() => ''),
      )
    )
      return true
  return false
}
