import type postgres from 'postgres'
import { SetupError } from '#lib/errors'
import { openStore } from './client.ts'
import { connecting } from './connecting.ts'
import { type Migration, readMigrations } from './migrations.ts'

/** Any number that no other program on the same database uses: ASCII "sluice". */
const lockKey = 0x736c75696365

type Applied = { number: number; name: string; checksum: string }

/**
 * Runs what is pending, each migration in its own transaction, one process at a time: many may start at once.
 * @returns the schema's version
 * @throws SetupError if the database cannot be reached, is newer than this code, or a migration has changed since
 */
export async function migrate(url: string, folder?: URL): Promise<number> {
  const known = await readMigrations(folder)
  const store = openStore(url, { max: 1, name: 'sluice migrate' })
  try {
    return await connecting(url, () => runPending(store.sql, known))
  } finally {
    await store.close()
  }
}

/** @throws SetupError if the database was not migrated yet, or by a newer Sluice. */
export async function checkSchema(sql: postgres.Sql): Promise<void> {
  const known = await readMigrations()
  const applied = await readApplied(sql)
  refuseNewer(known, applied)
  const numbers = new Set(applied.map((one) => one.number))
  const missing = known.find((one) => !numbers.has(one.number))
  if (missing)
    throw new SetupError(`The database lacks migration ${missing.name}: run \`bun run migrate\` first`)
}

async function runPending(sql: postgres.Sql, known: Migration[]): Promise<number> {
  await sql`select pg_advisory_lock(${lockKey})`
  await sql`
    create table if not exists sluice_migrations (
      number integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`
  const applied = await readApplied(sql)
  refuseNewer(known, applied)
  const checksums = new Map(applied.map((one) => [one.number, one.checksum]))
  for (const migration of known) {
    const checksum = checksums.get(migration.number)
    if (checksum === undefined) await apply(sql, migration)
    else if (checksum !== migration.checksum) {
      throw new SetupError(
        `Migration ${migration.name} has changed since this database ran it: restore the file, and put the change into a new one`,
      )
    }
  }
  return known.at(-1)?.number ?? 0
}

async function apply(sql: postgres.Sql, { number, name, checksum, text }: Migration): Promise<void> {
  try {
    await sql.begin(async (tx) => {
      await tx.unsafe(text).simple()
      await tx`insert into sluice_migrations (number, name, checksum) values (${number}, ${name}, ${checksum})`
    })
  } catch (cause) {
    throw new Error(`Migration ${name}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

function refuseNewer(known: Migration[], applied: Applied[]): void {
  const numbers = new Set(known.map((one) => one.number))
  const newer = applied.find((one) => !numbers.has(one.number))
  if (!newer) return
  throw new SetupError(
    `The database has migration ${newer.name}, which this version of Sluice does not know: start the newer version`,
  )
}

async function readApplied(sql: postgres.Sql): Promise<Applied[]> {
  const [table] = await sql<
    { exists: boolean }[]
  >`select to_regclass('sluice_migrations') is not null as exists`
  if (!table?.exists) return []
  return await sql<Applied[]>`select number, name, checksum from sluice_migrations order by number`
}
