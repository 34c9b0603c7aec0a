import { describe, expect, test } from 'bun:test'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Forwarder } from '../../../src/capture/spool/forwarder.ts'
import { recover } from '../../../src/capture/spool/recovery.ts'
import { takeSlot } from '../../../src/capture/spool/slot.ts'
import { until } from '../../support/until.ts'
import { bytes, quiet, spoolIn, storeIn } from './opening.ts'
import { addsUp, record, scratch } from './support.ts'

describe('the forwarder', () => {
  test('R2: a batch stays on disk until its commit is known', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    store.storeDown = true
    const spool = await spoolIn(dir, store)
    record(spool, bytes(100), bytes(100))
    await until('it is in the queue', () => spool.ledger().queued === 1)
    expect(readdirSync(join(dir, 'spool/0/segments')).length).toBe(1)
    addsUp(spool.ledger())
    store.storeDown = false
    await until('it is stored', () => spool.ledger().stored === 1)
    await until('its file is gone', () => readdirSync(join(dir, 'spool/0/segments')).length === 0)
    expect(store.jobs.length).toBe(1)
    await spool.close()
  })

  test('R3: while the queue is down all wait on disk, and are shipped oldest first when it is back', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    store.queueDown = true
    const spool = await spoolIn(dir, store)
    for (let seed = 0; seed < 300; seed++) record(spool, bytes(10_000, seed), bytes(10_000, seed))
    await until('they are in segments', () => readdirSync(join(dir, 'spool/0/segments')).length >= 6)
    expect(spool.ledger()).toMatchObject({ accepted: 300, spooled: 300, queued: 0 })
    store.queueDown = false
    await until('all are stored', () => spool.ledger().stored === 300)
    expect(store.kept().map((kept) => kept.seq)).toEqual(Array.from({ length: 300 }, (_, at) => at + 1))
    await spool.close()
  })

  test('while many batches wait, a segment is closed for its size only, so that files stay few', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    store.storeDown = true
    const spool = await spoolIn(dir, store)
    for (let at = 0; at < 16; at++) {
      record(spool, bytes(10), bytes(10))
      await until(
        'closed',
        () => readdirSync(join(dir, 'spool/0/segments')).some((name) => !name.includes('-')) === false,
      )
    }
    const files = readdirSync(join(dir, 'spool/0/segments')).length
    expect(files).toBe(16)
    record(spool, bytes(10), bytes(10))
    await Bun.sleep(400) // twice the age at which a segment is closed otherwise
    record(spool, bytes(10), bytes(10))
    expect(readdirSync(join(dir, 'spool/0/segments')).length).toBe(17)
    store.storeDown = false
    await until('all are stored', () => spool.ledger().stored === 18)
    await spool.close()
  }, 15_000)

  test('a batch that the queue has lost is sent again, under another name, and stored once', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    store.queueDown = true
    const spool = await spoolIn(dir, store)
    record(spool, bytes(100), bytes(2_300_000))
    record(spool, bytes(100), bytes(100))
    await spool.close(0)
    store.queueDown = false
    store.lossy = true
    const slot = takeSlot(join(dir, 'spool'))
    const depot = recover(slot, { log: quiet, step: () => {} })
    const { producer, commits } = store
    const forwarder = new Forwarder({ depot, producer, commits, resendAfterMs: 100 })
    const drained = forwarder.drain(10_000)
    await until('they were sent again', () => store.jobs.length >= 6)
    store.lossy = false
    await drained
    expect(depot.batches).toEqual([])
    expect(store.kept().length).toBe(2)
    expect(store.jobs.filter((id) => /-r\d+$/.test(id)).length).toBeGreaterThan(0)
    expect(store.jobs.every((id) => !id.includes(':'))).toBe(true)
    expect(depot.ledger).toMatchObject({ accepted: 2, at: { stored: 2, spooled: 0, queued: 0 } })
    forwarder.close()
    depot.close()
    slot.release()
  })

  test('parts that the store has lost are sent again with the last one', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    store.queueDown = true
    const spool = await spoolIn(dir, store)
    const sent = record(spool, bytes(100), bytes(2_300_000))
    await spool.close(0)
    store.queueDown = false
    const slot = takeSlot(join(dir, 'spool'))
    const depot = recover(slot, { log: quiet, step: () => {} })
    const { commits } = store
    let lost = false
    const producer: typeof store.producer = {
      async enqueue(payload, options) {
        if (payload.part === 2 && !lost) {
          lost = true
          for (const name of readdirSync(join(dir, 'store'))) rmSync(join(dir, 'store', name))
          return
        }
        await store.producer.enqueue(payload, options)
      },
    }
    const forwarder = new Forwarder({ depot, producer, commits, resendAfterMs: 100 })
    await forwarder.drain(10_000)
    expect(lost).toBe(true)
    expect(store.kept()).toMatchObject([{ id: sent.id, response: sent.response }])
    forwarder.close()
    depot.close()
    slot.release()
  })

  test('an idle spool asks the store nothing', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    let asked = 0
    const { committed } = store.commits
    store.commits.committed = (spool, names) => {
      asked += 1
      return committed(spool, names)
    }
    const spool = await spoolIn(dir, store)
    record(spool, bytes(100), bytes(100))
    await until('it is stored', () => spool.ledger().stored === 1)
    const before = asked
    await until('the ledger was reported', () => store.reports.some((ledger) => ledger.stored === 1))
    expect(asked).toBe(before)
    await spool.close()
  })
})
