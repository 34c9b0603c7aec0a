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
