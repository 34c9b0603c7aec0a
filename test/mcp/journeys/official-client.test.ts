import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Client } from '@modelcontextprotocol/client'
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as FirstStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as FirstHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { repository } from '../../support/process.ts'
import { promptly } from '../../support/promptly.ts'
import { until } from '../../support/until.ts'
import { connect, type Era, textOf, type Way } from './clients.ts'
import { type Behind, startBehind } from './servers.ts'

let behind: Behind
beforeAll(async () => {
  behind = await startBehind()
}, 60_000)
afterAll(() => behind.stop())

const ways: { way: Way; era: Era }[] = [
  { way: 'http', era: 'legacy' },
  { way: 'http', era: 'modern' },
  { way: 'relay', era: 'legacy' },
  { way: 'relay', era: 'modern' },
]

describe.each(ways)('the official client of the $era era over $way', ({ way, era }) => {
  let client: Client
  let changes = 0
  beforeAll(async () => {
    const onChange = () => {
      changes += 1
    }
    client = await connect(behind, { way, era, onChange })
  })
  afterAll(() => client.close())

  test('finds the tools of all servers, and calls those of both', async () => {
    const { tools } = await client.listTools()
    const names = tools.map(({ name }) => name)
    expect(names).toContain('dewey_search')
    const pids: string[] = []
    for (const server of ['local', 'remote']) {
      const name = names.find((one) => one.startsWith(server) && one.endsWith('pid'))
      expect(name).toBeDefined()
      pids.push(textOf(await client.callTool({ name: name ?? '', arguments: {} })))
    }
    expect(pids[1]).toBe(String(process.pid))
    expect(pids[0]).not.toBe(pids[1])
  })

  test('is told of progress while a call runs', async () => {
    const steps: number[] = []
    const result = await client.callTool(
      { name: 'local__test_tool_with_progress', arguments: {} },
      { onprogress: ({ progress }) => void steps.push(progress) },
    )
    expect(result.isError).not.toBe(true)
    expect(steps.length).toBeGreaterThanOrEqual(2)
  })

  test('is asked back by a server in the course of a call', async () => {
    for (const server of ['local', 'remote']) {
      const args = { name: `${server}__test_elicitation`, arguments: { message: 'Who?' } }
      const said = textOf(await client.callTool(args))
      expect(said).toContain('action=accept')
      expect(said).toContain('wren')
    }
  })

  // In the modern era that is part of `subscriptions/listen`.
  if (era !== 'modern')
    test('hears of changes of a resource that it subscribed to', async () => {
      const { resources } = await client.listResources()
      const uri = resources.find(({ uri: one }) => one.includes('watched'))?.uri ?? ''
      expect(uri).not.toBe('')
      const updates: string[] = []
      client.setNotificationHandler(
        'notifications/resources/updated',
        ({ params }) => void updates.push(params.uri),
      )
      await client.subscribeResource({ uri })
      await until('an update is heard', () => {
        behind.http.world.touch('test://watched-resource')
        return updates.length > 0
      })
    })

  test('reads resources and prompts of servers', async () => {
    const { resources } = await client.listResources()
    const uri = resources.find(({ uri: one }) => one.includes('static-text'))?.uri ?? ''
    const { contents } = await client.readResource({ uri })
    expect(JSON.stringify(contents)).toContain('text')
    const { prompts } = await client.listPrompts()
    const prompt = prompts.find(({ name }) => name.endsWith('test_simple_prompt'))?.name ?? ''
    expect((await client.getPrompt({ name: prompt })).messages.length).toBeGreaterThan(0)
  })

  test('C2: is told of a toggle within a second', async () => {
    const toggle = (enabled: boolean) =>
      client.callTool({ name: 'portal_toggle_single_server', arguments: { server: 'remote', enabled } })
    const areShown = async () =>
      (await client.listTools()).tools.some(({ name }) => name.startsWith('remote__'))
    let enabled = true
    await promptly('the client is told', 1_000, async () => {
      const before = changes
      enabled = !enabled
      await toggle(enabled)
      await until('the client is told', () => changes > before)
    })
    await until('its tools are as they were switched', async () => (await areShown()) === enabled)
    await toggle(true)
    await until('its tools are back', areShown)
  })

  test('is told what was wrong with a call', async () => {
    const failed = await client.callTool({
      name: 'dewey_get_conversation',
      arguments: { conversation_id: 'x' },
    })
    expect([failed.isError, textOf(failed)]).toEqual([
      true,
      expect.stringContaining('conversation_id: must be an id'),
    ])
    await expect(client.callTool({ name: 'no_such_tool', arguments: {} })).rejects.toThrow(/no_such_tool/)
  })
})

describe.each(['http', 'relay'] as const)('the official client of version 1 over %s', (way) => {
  test('lists, calls and is told of progress', async () => {
    const client = new FirstClient({ name: 'first', version: '1' })
    const { url, adminKey } = behind.gateway
    const transport =
      way === 'http'
        ? new FirstHttp(new URL(`${url}/mcp`), { requestInit: { headers: behind.headers } })
        : new FirstStdio({
            ...{
              command: process.execPath,
              args: ['src/processes/relay.ts'],
              cwd: repository,
              stderr: 'ignore',
            },
            env: { PATH: process.env.PATH ?? '', SLUICE_URL: url, SLUICE_KEY: adminKey },
          })
    await client.connect(transport as never)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('local__pid')
    const steps: number[] = []
    await client.callTool({ name: 'local__test_tool_with_progress', arguments: {} }, undefined, {
      onprogress: ({ progress }) => void steps.push(progress),
    })
    expect(steps.length).toBeGreaterThanOrEqual(2)
    await client.close()
  })
})
