import { statfsSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import type postgres from 'postgres'
import { type EmbeddedPostgres, migrate, openStore, startEmbedded } from '#store'
import { isAlive } from './process.ts'

export type TestDatabase = {
  url: string
  sql: postgres.Sql
  /** Closes `sql` and drops the database, cutting whatever else is still connected. */
  drop(): Promise<void>
}

type TestServer = { server: EmbeddedPostgres; dir: string; sql: postgres.Sql }

const memory = '/dev/shm'
/** Then the process id of the run. */
const prefix = 'sluice-test-postgres-'
const template = 'sluice_template'
let starting: Promise<TestServer> | undefined
let count = 0

/** A fresh, migrated database on the one real server of this test run. The first call starts the server. */
export async function testDatabase(): Promise<TestDatabase> {
  return await createDatabase(template)
}

/** A fresh database without any table. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return await createDatabase('template0')
}

/** For the preload: stops the server, if any, and removes its files. */
export async function stopTestServer(): Promise<void> {
  const running = await starting?.catch(() => undefined)
  starting = undefined
  if (!running) return
  await running.sql.end({ timeout: 1 })
  await running.server.stop()
  await rm(running.dir, { recursive: true, force: true })
}

async function createDatabase(from: string): Promise<TestDatabase> {
  starting ??= startTestServer()
  const { server, sql: admin } = await starting
  count += 1
  const name = `test_${process.pid}_${count}`
  await admin.unsafe(`create database ${name} template ${from} strategy file_copy`)
  const url = databaseUrl(server, name)
  const store = openStore(url, { max: 4, name: 'test' })
  return {
    url,
    sql: store.sql,
    async drop() {
      await store.close()
      await admin.unsafe(`drop database if exists ${name} with (force)`)
    },
  }
}

async function startTestServer(): Promise<TestServer> {
  await sweep(memory)
  const dir = await mkdtemp(join(serverFolder(), `${prefix}${process.pid}-`))
  const server = await startEmbedded({ dir, durable: false })
  // One connection: Postgres copies a template only while nobody else is connected to it, and one at a time.
  const { sql } = openStore(server.url, { max: 1, name: 'test admin' })
  await sql.unsafe(`create database ${template}`)
  await migrate(databaseUrl(server, template))
  return { server, dir, sql }
}

/** In memory where there is much: a database is 800 files, which take 0.5 s to copy on a disk and 0.03 s there. */
function serverFolder(): string {
  const needed = 8 * 1024 ** 3
  try {
    const { bavail, bsize } = statfsSync(memory)
    if (Math.min(bavail * bsize, freemem()) > needed) return memory
  } catch {
    // There is none.
  }
  return tmpdir()
}

/** Removes what runs left that were killed an hour ago or more: it would hold memory for ever. */
async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const path = join(folder, name)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }))
    const isOver = !isAlive(Number(name.slice(prefix.length).split('-')[0]))
    if (isOver && mtimeMs < Date.now() - 3_600_000)
      await rm(path, { recursive: true, force: true }).catch(() => {})
  }
}

function databaseUrl(server: EmbeddedPostgres, name: string): string {
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url.href
}
