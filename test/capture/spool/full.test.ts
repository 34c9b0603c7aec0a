import { afterAll, describe, expect, test } from 'bun:test'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Room, SpoolFullError } from '../../../src/capture/spool/room.ts'
import { until } from '../../support/until.ts'
import { endOf, openOf, sha256 } from '../support.ts'
import { bytes, quiet, spoolIn, storeIn } from './opening.ts'
import { addsUp, record, scratch } from './support.ts'

const mebibyte = 1024 * 1024

describe('a spool at its bound', () => {
  test('R4: blocks new exchanges, lets those under way finish, and goes on when there is room', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    store.queueDown = true
    const spool = await spoolIn(dir, store, { maxBytes: 2 * mebibyte })
    const open = openOf()
    const underWay = spool.begin(open)
    underWay.request(bytes(10_000))
    const sent = fillUp(() => record(spool, bytes(5_000), bytes(20_000)))
    expect(() => spool.begin(openOf())).toThrow(SpoolFullError)
    expect(spool.ledger().bytes).toBeLessThanOrEqual(2 * mebibyte)
    underWay.response(bytes(60_000, 3))
    expect(underWay.seal(endOf())).toBeUndefined()
    expect(spool.ledger().bytes).toBeLessThanOrEqual(2 * mebibyte)
    store.queueDown = false
    await until('there is room again', () => begins(spool))
    await spool.close(10_000)
    const kept = new Map(store.kept().map((one) => [one.id, one.response]))
    for (const one of sent) expect(kept.get(one.id)).toBe(one.response)
    expect(kept.get(open.id)).toBe(sha256(bytes(60_000, 3)))
    addsUp(spool.ledger())
    expect(spool.ledger()).toMatchObject({ dropped: 0, spooled: 0, stored: kept.size })
  })

  test('R4: a seal that finds no room waits, and resolves when there is some', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    store.queueDown = true
    const spool = await spoolIn(dir, store, { maxBytes: mebibyte })
    const opens = Array.from({ length: 8 }, () => openOf())
    const underWay = opens.map((open) => spool.begin(open))
    fillUp(() => record(spool, bytes(5_000), bytes(20_000)))
    for (const recording of underWay) recording.response(bytes(20_000))
    const seals = underWay.map((recording) => recording.seal(endOf()))
    const waiting = seals.filter((sealed) => sealed !== undefined)
    expect(waiting.length).toBeGreaterThan(0)
    expect(waiting.length).toBeLessThan(8)
    addsUp(spool.ledger())
    store.queueDown = false
    await Promise.all(waiting)
    await spool.close(10_000)
    const kept = new Set(store.kept().map((one) => one.id))
    for (const open of opens) expect(kept.has(open.id)).toBe(true)
    expect(spool.ledger()).toMatchObject({ dropped: 0, stored: kept.size })
  })

  test('R4: an exchange that outgrows disk and memory is on record as damaged, and its client is not told all is well', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    store.queueDown = true
    const spool = await spoolIn(dir, store, { maxBytes: mebibyte })
    const open = openOf()
    const large = spool.begin(open)
    fillUp(() => record(spool, bytes(1_000), bytes(10_000)))
    for (let chunk = 0; chunk < 10; chunk++) large.response(bytes(100_000, chunk))
    const sealed = large.seal(endOf())
    expect(sealed).toBeInstanceOf(Promise)
    store.queueDown = false
    await expect(sealed as Promise<void>).rejects.toThrow(SpoolFullError)
    await spool.close(10_000)
    expect(store.kept().find((one) => one.id === open.id)).toMatchObject({
      outcome: 'damaged',
      error: 'spool-full',
    })
    addsUp(spool.ledger())
  })

  test('R4: where the operator chose to drop, exchanges pass and are counted', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    store.queueDown = true
    const spool = await spoolIn(dir, store, { maxBytes: mebibyte, whenFull: 'drop' })
    for (let at = 0; at < 200; at++) expect(record(spool, bytes(1_000), bytes(10_000)).sealed).toBeUndefined()
    const full = spool.ledger()
    addsUp(full)
    expect(full.accepted).toBe(200)
    expect(full.dropped).toBeGreaterThan(50)
    expect(full.bytes).toBeLessThanOrEqual(mebibyte)
    await spool.close(0)
    store.queueDown = false
    const again = await spoolIn(dir, store, { maxBytes: mebibyte, whenFull: 'drop' })
    await until('the rest is stored', () => again.ledger().spooled + again.ledger().queued === 0)
    expect(again.ledger()).toMatchObject({ accepted: 200, stored: 200 - full.dropped, dropped: full.dropped })
    expect(store.kept().length).toBe(200 - full.dropped)
    await again.close()
  })
})

const mount = mkdtempSync(join(tmpdir(), 'sluice-tmpfs-'))

describe.skipIf(!mounted())('a disk that is full (a tmpfs of 6 MiB; only where root may mount one)', () => {
  afterAll(() => {
    Bun.spawnSync(['umount', mount])
    rmSync(mount, { recursive: true, force: true })
  })

  test('R4: what is under way finishes on the reserve, and everything acknowledged is stored', async () => {
    const store = storeIn(scratch())
    store.queueDown = true
    const spool = await spoolIn(mount, store, { maxBytes: 32 * mebibyte })
    const reserve = statSync(join(mount, 'spool/0/ballast')).size
    expect(reserve).toBe(2 * mebibyte)
    const underWay = [1, 2, 3].map((seed) => {
      const open = openOf()
      const recording = spool.begin(open)
      recording.request(bytes(1_000, seed))
      return { id: open.id, recording, seed }
    })
    const sent = fillUp(() => record(spool, bytes(5_000), bytes(20_000)))
    expect(existsSync(join(mount, 'spool/0/ballast'))).toBe(false)
    for (const { recording, seed } of underWay) {
      recording.response(bytes(300_000, seed))
      expect(recording.seal(endOf())).toBeUndefined()
    }
    addsUp(spool.ledger())
    store.queueDown = false
    await until('there is room again', () => begins(spool))
    expect(existsSync(join(mount, 'spool/0/ballast'))).toBe(true)
    await spool.close(10_000)
    const kept = new Map(store.kept().map((one) => [one.id, one.response]))
    for (const one of sent) expect(kept.get(one.id)).toBe(one.response)
    for (const { id, seed } of underWay) expect(kept.get(id)).toBe(sha256(bytes(300_000, seed)))
    expect(spool.ledger()).toMatchObject({ stored: kept.size, dropped: 0, spooled: 0, queued: 0 })
  })

  test('R16: a gateway starts on a full disk, refuses, and goes on when there is room', async () => {
    const store = storeIn(scratch())
    const first = await spoolIn(mount, store, { maxBytes: 32 * mebibyte })
    store.queueDown = true
    const sent = record(first, bytes(10), bytes(20))
    await first.close(0)
    unlinkSync(join(mount, 'spool/0/ballast'))
    fillDisk(join(mount, 'filler'))
    const spool = await spoolIn(mount, store, { maxBytes: 32 * mebibyte })
    expect(() => spool.begin(openOf())).toThrow(SpoolFullError)
    unlinkSync(join(mount, 'filler'))
    store.queueDown = false
    await until('there is room again', () => begins(spool))
    await spool.close(10_000)
    expect(store.kept().map((one) => one.id)).toContain(sent.id)
    addsUp(spool.ledger())
  })

  test('R16: an append of which the disk takes only a part leaves the file as it was', () => {
    const room = new Room({ dir: mount, max: 32 * mebibyte, log: quiet })
    const [path, filler] = [join(mount, 'torn'), join(mount, 'filler')]
    const fd = room.create(path)
    room.append(fd, bytes(10_000), 0)
    fillDisk(filler)
    truncateSync(filler, statSync(filler).size - 40_960)
    expect(() => room.append(fd, bytes(100_000), 10_000)).toThrow(SpoolFullError)
    expect(statSync(path).size).toBe(10_000)
    for (const one of [path, filler]) unlinkSync(one)
    closeSync(fd)
  })
})

/** In a container not even root may. */
function mounted(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || Bun.which('mount') === null) return false
  return Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', mount]).success
}

function fillUp<Sent>(one: () => Sent): Sent[] {
  const sent: Sent[] = []
  for (;;) {
    try {
      sent.push(one())
    } catch (error) {
      expect(error).toBeInstanceOf(SpoolFullError)
      return sent
    }
  }
}

function begins(spool: Parameters<typeof record>[0]): boolean {
  try {
    spool.begin(openOf()).seal(endOf({ outcome: 'rejected' }))
    return true
  } catch {
    return false
  }
}

function fillDisk(path: string): void {
  const chunk = bytes(64 * 1024)
  for (;;) {
    try {
      writeFileSync(path, chunk, { flag: 'a' })
    } catch {
      return
    }
  }
}
