import { expect, test } from 'bun:test'
import { openSse } from '../../../src/mcp/edge/sse-stream.ts'

test('C7: unless told otherwise, ten seconds of silence bring a sign of life, five do not', async () => {
  let beat = (_now: number) => {}
  const heartbeat = {
    add(given: (now: number) => void) {
      beat = given
      return () => {}
    },
    stop() {},
  }
  const stream = openSse({ heartbeat, onGone: () => {} })
  const reader = stream.response.body?.getReader()
  const next = reader?.read()
  const now = performance.now()
  beat(now + 5_000)
  stream.send('data: first\n\n')
  expect(new TextDecoder().decode((await next)?.value)).toBe('data: first\n\n')
  beat(performance.now() + 10_000)
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(': keep-alive\n\n')
  stream.cut()
})

test('C13: what waits is bounded; one event may be larger, and what it begins with does not count', async () => {
  const heartbeat = { add: () => () => {}, stop() {} }
  let gone = 0
  const stream = openSse({ heartbeat, first: 'a'.repeat(500), queueBytes: 100, onGone: () => (gone += 1) })
  stream.send('b'.repeat(1_000))
  const reader = stream.response.body?.getReader()
  expect((await reader?.read())?.value).toHaveLength(1_500)
  stream.send('c'.repeat(101))
  expect([stream.isOpen(), gone]).toEqual([true, 0])
  stream.send('d')
  expect([stream.isOpen(), gone]).toEqual([false, 1])
})
