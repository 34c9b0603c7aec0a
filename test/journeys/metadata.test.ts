import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { type Product, startProduct } from './product.ts'

const canary = 'zebrafinch'
let product: Product

beforeAll(async () => {
  product = await startProduct('postgres', { CAPTURE: 'metadata' })
}, 60_000)
afterAll(() => product.stop())

test('metadata mode: no word of a prompt or answer is in a file, a job, a table or a log', async () => {
  for (const model of ['mock-echo', 'mock-slow-20+echo', 'mock-error-500']) {
    const answer = await fetch(`${product.url}/p/mock/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ model, max_tokens: 64, stream: model.includes('slow') },
        messages: [{ role: 'user', content: `${canary} `.repeat(20) }],
      }),
    })
    const said = await answer.text()
    if (model === 'mock-echo') expect(said).toContain(canary)
  }
  await product.settled()
  expect(await product.sql`select 1 from exchanges`).toHaveLength(3)

  const places = new Map<string, string>()
  for await (const file of new Bun.Glob('**/*').scan({ cwd: product.dataDir, dot: true })) {
    places.set(file, await Bun.file(join(product.dataDir, file)).text())
  }
  const tables = await product.sql<{ name: string }[]>`
    select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`
  for (const { name } of tables) {
    const rows = await product.sql.unsafe(`select * from ${name}`)
    places.set(name, rows.map((row) => Object.values(row).map(plain).join(' ')).join(' '))
  }
  places.set('logs', [...product.gateway().lines, ...product.worker().lines].join(' '))
  expect(places.size).toBeGreaterThan(15)
  expect([...places].filter(([, text]) => text.includes(canary)).map(([name]) => name)).toEqual([])
}, 60_000)

/** Bytes and the frames of a job are packed: looked into, or a word in them would not be seen. */
function plain(value: unknown): string {
  if (value instanceof Uint8Array) return unpacked(value)
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  const frames = /"frames":\s*"([^"]+)"/.exec(text)?.[1]
  return frames === undefined ? text : text + unpacked(Buffer.from(frames, 'base64'))
}

function unpacked(bytes: Uint8Array): string {
  try {
    return zlib.zstdDecompressSync(bytes).toString()
  } catch {
    return Buffer.from(bytes).toString()
  }
}
