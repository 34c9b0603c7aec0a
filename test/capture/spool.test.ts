import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '../../src/lib/errors.ts'
import { promptly } from '../support/promptly.ts'
import { until } from '../support/until.ts'
import { bytes, spoolIn, storeIn } from './spool/opening.ts'
import { addsUp, openFiles, record, scratch } from './spool/support.ts'
import { endOf, openOf, sha256 } from './support.ts'

describe('the spool', () => {
  test('R6: what was sealed is in the store, by its hashes, and leaves the disk', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    const spool = await spoolIn(dir, store)
    const sent = [1, 2, 3].map((seed) => record(spool, bytes(1_000, seed), bytes(5_000, seed + 10)))
    expect(spool.ledger()).toMatchObject({ accepted: 3, spooled: 3, stored: 0, open: 0 })
    await until('all are stored', () => spool.ledger().stored === 3)
    const kept = store.kept().map(({ id, request, response }) => ({ id, request, response }))
    expect(kept).toEqual(sent.map(({ id, request, response }) => ({ id, request, response })))
    await until('they left the disk', () => readdirSync(join(dir, 'spool/0/segments')).length === 0)
    await until('their room is free', () => spool.ledger().bytes === 0)
    addsUp(spool.ledger())
    await spool.close()
    expect(store.reports.at(-1)).toMatchObject({ spool: spool.id, accepted: 3, stored: 3 })
  })

  test('numbers exchanges from 1 without gaps, also after a restart', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    for (const _ of [1, 2]) {
      const spool = await spoolIn(dir, store)
      for (const seed of [1, 2]) record(spool, bytes(10, seed), bytes(10, seed))
      await spool.close()
    }
    expect(store.kept().map((kept) => kept.seq)).toEqual([1, 2, 3, 4])
  })

  test('an exchange that stays open is on disk within 100 ms', async () => {
    const dir = scratch()
    const spool = await spoolIn(dir, storeIn(dir))
    let open = 0
    await promptly('its file', 200, async () => {
      spool.begin(openOf()).request(bytes(300))
      open += 1
      await until('it has a file', () => openFiles(dir).length === open)
    })
    await spool.close(0)
  })

  test('an exchange that stays open grows on disk as it comes, and is whole at its end', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    const spool = await spoolIn(dir, store)
    const open = openOf()
    const recording = spool.begin(open)
    const request = bytes(300)
    recording.request(request)
    await until('it has a file', () => openFiles(dir).length === 1)
    const onDisk = (part: Uint8Array | string) => openFiles(dir)[0]?.includes(part) === true
    expect(onDisk(request)).toBe(true)
    const chunks = [1, 2, 3].map((seed) => bytes(100_000, seed))
    for (const chunk of chunks) {
      recording.response(chunk)
      await until('the chunk is on disk', () => onDisk(chunk))
    }
    recording.seal(endOf({ outcome: 'client_gone' }))
    recording.seal(endOf({ outcome: 'completed' }))
    recording.response(bytes(10))
    expect(onDisk('client_gone')).toBe(true)
    await until('it is stored', () => spool.ledger().stored === 1)
    expect(store.kept()).toMatchObject([
      {
        id: open.id,
        outcome: 'client_gone',
        request: sha256(request),
        response: sha256(Buffer.concat(chunks)),
      },
    ])
    expect(openFiles(dir)).toEqual([])
    await spool.close()
  })

  test('an exchange of many MiB travels in parts and is whole in the store', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    const spool = await spoolIn(dir, store)
    const sent = record(spool, bytes(3_000_000), bytes(2_500_000, 2))
    await until('it is stored', () => spool.ledger().stored === 1)
    expect(store.kept()).toMatchObject([{ id: sent.id, request: sent.request, response: sent.response }])
    expect(store.jobs.length).toBe(6)
    await spool.close()
  })

  test('a large exchange that overtakes a segment still being written does not make the store skip that', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    const spool = await spoolIn(dir, store)
    record(spool, bytes(100), bytes(100))
    record(spool, bytes(100), bytes(1_500_000, 2))
    await until('both are stored', () => spool.ledger().stored === 2)
    expect(store.kept().map((kept) => kept.seq)).toEqual([1, 2])
    await spool.close()
  })

  test('in metadata mode no byte of the bodies is on disk or in the queue, and their hashes are right', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    store.storeDown = true
    const spool = await spoolIn(dir, store)
    const canary = Buffer.from('a canary that must not be written')
    const begin = () => {
      const recording = spool.begin(openOf({ mode: 'metadata' }))
      recording.request(canary)
      recording.response(canary)
      return recording
    }
    const slow = begin()
    begin().seal(endOf())
    await until('the slow one has a file', () => openFiles(dir).length === 1)
    slow.response(Buffer.alloc(1_000_000, canary))
    slow.seal(endOf())
    await until('it is in the queue', () => store.waiting.length > 0)
    await spool.close(0)
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    const written = Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))))
    expect(written.includes('openai') || written.includes('anthropic')).toBe(true)
    expect(written.includes(canary.subarray(0, 12))).toBe(false)
    const frames = store.waiting.map((job) => Bun.zstdDecompressSync(Buffer.from(job.frames, 'base64')))
    expect(Buffer.concat(frames).includes(canary.subarray(0, 12))).toBe(false)
    expect(written.includes(sha256(canary))).toBe(true)
  })

  test('a body past the bound of one exchange is counted, not kept, and the record says so', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    const spool = await spoolIn(dir, store, { maxExchangeBytes: 1_000_000 })
    const recording = spool.begin(openOf())
    const chunk = bytes(400_000)
    for (const _ of [1, 2, 3, 4]) recording.response(chunk)
    expect(recording.seal(endOf())).toBeUndefined()
    await until('it is stored', () => spool.ledger().stored === 1)
    const kept = sha256(Buffer.concat([chunk, chunk]))
    expect(store.kept()).toMatchObject([{ outcome: 'completed', error: 'record-too-large', response: kept }])
    await spool.close()
  })

  test('a folder that cannot be used is a setup error that names it', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    writeFileSync(join(dir, 'spool'), 'in the way')
    await expect(spoolIn(dir, store)).rejects.toThrow(SetupError)
    await expect(spoolIn(dir, store)).rejects.toThrow(join(dir, 'spool'))
  })

  test('two gateways in one folder take two slots, and the second drains what the first left', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    store.queueDown = true
    const first = await spoolIn(dir, store)
    const second = await spoolIn(dir, store)
    expect(second.id).not.toBe(first.id)
    const sent = record(first, bytes(10), bytes(20))
    await first.close(0)
    await second.close(0)
    store.queueDown = false
    const again = await spoolIn(dir, store)
    expect(again.id).toBe(first.id)
    const other = await spoolIn(dir, store)
    expect(other.id).toBe(second.id)
    record(other, bytes(10), bytes(20))
    await until('both are stored', () => store.kept().length === 2)
    await again.close()
    store.queueDown = true
    record(other, bytes(10), bytes(20))
    await other.close(0)
    store.queueDown = false
    const third = await spoolIn(dir, store)
    expect(third.id).toBe(first.id)
    await until('what the other left is stored', () => store.kept().length === 3)
    expect(store.kept().map((kept) => kept.id)).toContain(sent.id)
    await third.close()
  })

  test('R1: closing ships what is there', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    const spool = await spoolIn(dir, store)
    for (let seed = 0; seed < 500; seed++) record(spool, bytes(2_000, seed), bytes(4_000, seed))
    await spool.close()
    expect(store.kept().length).toBe(500)
    expect(spool.ledger()).toMatchObject({ accepted: 500, stored: 500, spooled: 0, queued: 0 })
  })
})
