import { afterEach, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, startEmbedded } from '#store'

const dirs: string[] = []

afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true })
})

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-embedded-'))
  dirs.push(dir)
  return dir
}

test('starts, keeps its data and its port, and starts again', async () => {
  const dir = await folder()
  const first = await startEmbedded({ dir, durable: false })
  const store = openStore(first.url)
  await store.sql`create table kept as select 7 as n`
  await store.close()
  await first.stop()

  const second = await startEmbedded({ dir, durable: false })
  expect(second.port).toBe(first.port)
  const again = openStore(second.url)
  expect([...(await again.sql`select n from kept`)]).toEqual([{ n: 7 }])
  await again.close()
  await second.stop()
}, 30_000)
