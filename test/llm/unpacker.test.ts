import { describe, expect, test } from 'bun:test'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { openMeter } from '../../src/llm/meter.ts'

/** Packed streams, read while they pass. */
const open = {
  ...{ dialect: 'anthropic', path: '/v1/messages', method: 'POST', protocol: 'http' as const },
  request_headers: [] as [string, string][],
}
const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`
const delta = event({
  ...{ type: 'content_block_delta', index: 0 },
  delta: { type: 'text_delta', text: 'words '.repeat(100) },
})
const beginning = event({ type: 'message_start', message: { model: 'm', usage: { input_tokens: 3 } } })
const ending = event({ type: 'message_delta', delta: {}, usage: { output_tokens: 4 } })
const stream = (deltas: number) => Buffer.from(beginning + delta.repeat(deltas) + ending)

async function read(encoding: string, packed: Uint8Array, size = 65_536) {
  const meter = openMeter(open)
  meter.head(200, [
    ['content-type', 'text/event-stream'],
    ['content-encoding', encoding],
  ])
  for (let at = 0; at < packed.byteLength; at += size) meter.response(packed.subarray(at, at + size))
  await meter.end()
  const { usage, model_served } = meter.read().metered
  return { input: usage?.input ?? null, output: usage?.output ?? null, model: model_served }
}

describe.each([
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['gzip, zstd', (bytes: Uint8Array) => zstdCompressSync(gzipSync(bytes))],
  ['identity', (bytes: Uint8Array) => bytes],
])('a stream packed with %s', (encoding, pack) => {
  test('tells its counts, however it is cut', async () => {
    const packed = pack(stream(200))
    for (const size of [7, 1_000, 65_536])
      expect(await read(encoding, packed, size)).toEqual({ input: 3, output: 4, model: 'm' })
  })

  test('broken off, tells what it told until then; of another encoding, nothing', async () => {
    const packed = pack(Buffer.concat([stream(0), crypto.getRandomValues(new Uint8Array(30_000))]))
    const broken = await read(encoding, packed.subarray(0, packed.byteLength - 1_000))
    expect(broken).toEqual({ input: 3, output: 4, model: 'm' })
    if (encoding === 'identity') return
    const wrong = await read(encoding, crypto.getRandomValues(new Uint8Array(5_000)))
    expect(wrong).toEqual({ input: null, output: null, model: null })
  })
})

test('its length does not matter, up to that of a bomb', async () => {
  const long = Math.ceil((48 * 1024 * 1024) / delta.length)
  expect(await read('gzip', gzipSync(stream(long)))).toEqual({ input: 3, output: 4, model: 'm' })
  const bomb = stream(0).subarray(0, beginning.length)
  const packed = gzipSync(
    Buffer.concat([bomb, Buffer.alloc(300 * 1024 * 1024), Buffer.from(`\n\n${ending}`)]),
  )
  expect(await read('gzip', packed)).toMatchObject({ input: 3, output: null })
}, 30_000)
