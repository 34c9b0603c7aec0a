import { join } from 'node:path'
import zlib from 'node:zlib'
import type { Product } from './product.ts'

/** Every place where a word of a call could have been kept, and what is in it: files, tables, jobs, logs. */
export async function placesOf(product: Product): Promise<Map<string, string>> {
  const places = new Map<string, string>()
  for await (const file of new Bun.Glob('**/*').scan({ cwd: product.dataDir, dot: true })) {
    // Segments go as they are shipped.
    places.set(
      file,
      await Bun.file(join(product.dataDir, file))
        .text()
        .catch(() => ''),
    )
  }
  const tables = await product.sql<{ name: string }[]>`
    select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`
  for (const { name } of tables) {
    const rows = await product.sql.unsafe(`select * from ${name}`)
    places.set(name, rows.map((row) => Object.values(row).map(plain).join(' ')).join(' '))
  }
  places.set('logs', [...product.gateway().lines, ...product.worker().lines].join(' '))
  return places
}

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
