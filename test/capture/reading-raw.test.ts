import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createHash } from 'node:crypto'
import zlib from 'node:zlib'
import { type Fixture, openFixture } from './reading-support.ts'
import { recorded } from './store-support.ts'

setDefaultTimeout(60_000)

let fixture: Fixture
const plain = Buffer.from('data: {"text":"ahoj"}\n\n'.repeat(2_000))
const packed = zlib.gzipSync(plain)
const awkward = Buffer.concat([Buffer.from('{"a":"\\u0000\\ud800","b":"\0'), Buffer.from([0xff, 0xfe, 0x80])])

const sse = recorded(awkward, packed, {
  open: { tenant: 'a' },
  end: {
    response_headers: [
      ['content-type', 'text/html; charset=utf-8'],
      ['content-encoding', 'gzip'],
    ],
  },
})
const broken = recorded(Buffer.from('{}'), packed.subarray(0, 60), {
  open: { tenant: 'a' },
  end: { outcome: 'client_gone', response_headers: [['content-encoding', 'gzip']] },
})
const metadata = recorded(Buffer.alloc(0), Buffer.alloc(0), {
  open: { tenant: 'a', mode: 'metadata' },
  end: {
    request_bytes: 10,
    response_bytes: 20,
    request_sha256: 'ab'.repeat(32),
    response_sha256: 'cd'.repeat(32),
  },
})
const strange = recorded(Buffer.alloc(0), Buffer.from('?'), {
  open: { tenant: 'a' },
  end: {
    response_headers: [
      ['content-type', 'text/pl\u00e4in\r\nx: y'],
      ['content-encoding', 'snappy'],
    ],
  },
})

beforeAll(async () => {
  fixture = await openFixture()
  await fixture.store([sse, broken, metadata, strange])
})

afterAll(() => fixture.release())

describe('raw bytes', () => {
  test('R6, R15: come back as they were, whatever they are, and hash to what is shown', async () => {
    const { id } = sse.open
    const shown = (await fixture.ask(`/api/exchanges/${id}`)).json as Record<string, string>
    for (const [side, bytes] of [
      ['request', awkward],
      ['response', packed],
    ] as const) {
      const answer = await fixture.ask(`/api/exchanges/${id}/${side}`)
      expect(Buffer.compare(answer.bytes, bytes)).toBe(0)
      expect(createHash('sha256').update(answer.bytes).digest('hex')).toBe(shown[`${side}_sha256`] ?? '')
    }
  })

  test('are offered to be saved, never to be shown', async () => {
    const { headers } = await fixture.ask(`/api/exchanges/${sse.open.id}/response`)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('content-disposition')).toBe(`attachment; filename="${sse.open.id}.response.txt"`)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain('sandbox')
    expect(headers.get('content-encoding')).toBeNull()
    expect(headers.get('sluice-content-encoding')).toBe('gzip')
  })

  test('T9: are decoded when asked', async () => {
    const answer = await fixture.ask(`/api/exchanges/${sse.open.id}/response?decoded=1`)
    expect(answer.text).toBe(plain.toString())
  })

  test('R10: of a broken stream are what came', async () => {
    const path = `/api/exchanges/${broken.open.id}/response`
    expect((await fixture.ask(path)).bytes.length).toBe(60)
    expect((await fixture.ask(`${path}?decoded=1`)).status).toBe(200)
  })

  test('R6: of metadata mode are said not to have been captured', async () => {
    const { id } = metadata.open
    expect((await fixture.ask(`/api/exchanges/${id}`)).json).toMatchObject({
      request_bytes: 10,
      mode: 'metadata',
    })
    for (const side of ['request', 'response']) {
      const answer = await fixture.ask(`/api/exchanges/${id}/${side}`)
      expect(answer.status).toBe(404)
      expect(answer.json).toMatchObject({ type: 'urn:sluice:problem:not-captured' })
    }
  })

  test('with headers that cannot be sent are sent without them', async () => {
    const path = `/api/exchanges/${strange.open.id}/response`
    expect((await fixture.ask(path)).headers.get('content-type')).toBe('application/octet-stream')
    expect((await fixture.ask(`${path}?decoded=1`)).status).toBe(422)
  })

  test('of nothing are 404', async () => {
    for (const id of ['01a1f747-901b-76f2-944b-8ee0553936d0', 'x', '%00', "';--"]) {
      expect((await fixture.ask(`/api/exchanges/${id}/request`)).status).toBe(404)
    }
  })
})
