import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { repository } from '../../support/process.ts'
import { until } from '../../support/until.ts'
import { serveEverything } from '../fixtures/everything-http.ts'
import { callTool, heard, resultOf, specOf, testUpstreams } from './support.ts'

const upstreams = testUpstreams()
const both = serveEverything()
const old = serveEverything({ eras: ['legacy'] })
afterAll(async () => {
  await upstreams.close()
  await both.stop()
  await old.stop()
})
const { signal } = new AbortController()

const ways = {
  'stdio, which speaks both eras': {
    spec: { command: process.execPath, args: [join(repository, 'test/mcp/fixtures/everything-stdio.ts')] },
    world: null,
  },
  'HTTP, which speaks both eras': { spec: { transport: 'http', url: both.url }, world: both.world },
  'HTTP, which speaks the old era': { spec: { transport: 'http', url: old.url }, world: old.world },
} as const

describe.each(Object.entries(ways))('the official server on %s', (name, { spec, world }) => {
  const upstream = upstreams.get(specOf(spec))

  test('says what it is, lists and calls its tools', async () => {
    expect((await upstream.facts(signal)).era).toBe(name.includes('both') ? 'modern' : 'legacy')
    const listed = resultOf(await callTool(upstream, '', {}, { method: 'tools/list', params: '{}' }))
    const names = (listed.tools as { name: string }[]).map((tool) => tool.name)
    expect(names).toContain('test_simple_text')
    expect(resultOf(await callTool(upstream, 'test_simple_text'))).toHaveProperty('content')
  })

  test('sends progress on the way to its answer', async () => {
    const notes: [string, unknown][] = []
    const params = '{"name":"test_tool_with_progress","arguments":{},"_meta":{"progressToken":"mine"}}'
    resultOf(await callTool(upstream, '', {}, { params, notes }))
    expect(notes.length).toBeGreaterThan(1)
    for (const [method, note] of notes) {
      expect(method).toBe('notifications/progress')
      expect(note).toMatchObject({ progressToken: 'mine' })
    }
  })

  if (world !== null)
    test('tells of changes', async () => {
      const events = heard(upstream)
      await upstream.facts(signal)
      await until('a change is heard', () => {
        world?.toggle('tool')
        return events.some(
          (event) => event.kind === 'notification' && event.method.endsWith('tools/list_changed'),
        )
      })
    })
})
