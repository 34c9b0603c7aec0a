import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'

export type Migration = { number: number; name: string; checksum: string; text: string }

/**
 * The migrations that come with this code, in order. Numbers may have gaps (each domain has a range of its own).
 * @throws Error if a file is misnamed, two share a number, or one does not name its owner
 */
export async function readMigrations(
  folder = new URL('./migrations/', import.meta.url),
): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort()
  const migrations = await Promise.all(files.map((file) => readMigration(folder, file)))
  for (const [index, { number, name }] of migrations.entries()) {
    if (migrations[index - 1]?.number === number)
      throw new Error(`Two migrations have number ${number}: ${name}`)
  }
  return migrations
}

async function readMigration(folder: URL, file: string): Promise<Migration> {
  const number = Number(/^(\d{3})-[a-z0-9-]+\.sql$/.exec(file)?.[1] ?? Number.NaN)
  if (Number.isNaN(number)) throw new Error(`Migration ${file}: its name must look like 012-what-it-does.sql`)
  const text = await readFile(new URL(file, folder), 'utf8')
  if (!/^-- owner: [a-z]+\n/.test(text))
    throw new Error(`Migration ${file}: its first line must be "-- owner: <domain>"`)
  return { number, name: file.slice(0, -4), checksum: createHash('sha256').update(text).digest('hex'), text }
}
