import { expect, test } from 'bun:test'
import { z } from 'zod'
import { InputError, SluiceError } from '#lib/errors'
import { readJson, readQuery } from '#lib/input'
import { problem } from '#lib/problem'

const schema = z.strictObject({ name: z.string().default('none'), list: z.array(z.int()).optional() })

function post(body: string | Uint8Array<ArrayBuffer> | ReadableStream | null): Request {
  return new Request('http://localhost/api/things', { method: 'POST', body })
}

async function failureOf(work: () => unknown): Promise<SluiceError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof SluiceError) return error
  }
  throw new Error('did not fail with a SluiceError')
}

test('no body counts as an empty object', async () => {
  expect(await readJson(post(null), schema)).toEqual({ name: 'none' })
})

test('each field that is wrong is pointed at', async () => {
  const error = await failureOf(() => readJson(post('{"name":1,"list":[1,"x"],"a/b~c":0}'), schema))
  expect(error).toBeInstanceOf(InputError)
  const answer = problem(error)
  expect(answer.status).toBe(422)
  const { errors } = JSON.parse(await answer.text())
  expect(errors.map((one: { pointer: string }) => one.pointer)).toEqual(['/name', '/list/1', '/a~1b~0c'])
})

test('what is no JSON or no UTF-8 is 400', async () => {
  for (const body of ['{', 'nul', new Uint8Array([0x22, 0xff, 0x22])]) {
    const { status, code } = await failureOf(() => readJson(post(body), schema))
    expect([status, code]).toEqual([400, 'bad-json'])
  }
})

test('a body over the limit is refused, declared or streamed, and not read to its end', async () => {
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1
      controller.enqueue(new Uint8Array(256 * 1024))
    },
  })
  const streamed = await failureOf(() => readJson(post(endless), schema))
  const declared = await failureOf(() => readJson(post('x'.repeat(1024 * 1024 + 1)), schema))
  for (const { status, message } of [streamed, declared]) {
    expect(status).toBe(413)
    expect(message).toContain('1048576 bytes')
  }
  expect(sent).toBeLessThan(20)
})

test('a query is checked, and a parameter may be given once', async () => {
  const query = z.strictObject({ limit: z.coerce.number().int().max(9).default(5) })
  expect(readQuery(new Request('http://localhost/x'), query)).toEqual({ limit: 5 })
  for (const text of ['limit=10', 'limit=1&limit=2', 'depth=1']) {
    const error = await failureOf(() => readQuery(new Request(`http://localhost/x?${text}`), query))
    expect([error.status, error.code]).toEqual([400, 'bad-query'])
  }
})

test('of a field that takes several forms, the one that was meant tells what is wrong with it', async () => {
  const forms = z.strictObject({
    to: z.union([z.uuid(), z.strictObject({ url: z.url(), n: z.int().optional() })]),
  })
  for (const [body, pointers] of [
    ['{"to":{"url":"x","n":0.5}}', ['/to/url', '/to/n']],
    ['{"to":{"url":"https://a.org","m":1}}', ['/to/m']],
    ['{"to":"x"}', ['/to']],
    ['{"to":7}', ['/to']],
  ] as const) {
    const error = await failureOf(() => readJson(post(body), forms))
    expect((error as InputError).errors.map(({ pointer }) => pointer)).toEqual([...pointers])
  }
})
