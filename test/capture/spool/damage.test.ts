import { describe, expect, test } from 'bun:test'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { decodeExchanges, encodeExchange } from '../../../src/capture/frame.ts'
import { inspect } from '../../../src/capture/spool/inspect.ts'
import { recoverOpenFile } from '../../../src/capture/spool/recover-open.ts'
import { until } from '../../support/until.ts'
import { endOf, exchange, openOf, sha256 } from '../support.ts'
import { bytes, spoolIn, storeIn } from './opening.ts'
import { addsUp, openFiles, record, scratch } from './support.ts'

const count = 5

describe('a damaged segment', () => {
  for (const closed of [true, false]) {
    const name = closed ? 'closed' : 'still being written'
    test(`R16: ${name}, truncated anywhere: whole records are stored, the rest is put aside`, async () => {
      const { dir, segment, ends } = await leftSegment(closed)
      for (const cut of sample(0, segmentSize(dir, segment), 16)) {
        const copy = copyOf(dir)
        truncateSync(join(copy, segment), cut)
        const whole = ends.filter((end) => end <= cut).length
        const torn = cut > (ends[whole - 1] ?? 0)
        // What was cut off whole is missed only where a name tells how many there were.
        const lost = closed ? count - whole : Number(torn)
        await stores(copy, { stored: whole, quarantined: lost })
        expect(existsSync(join(copy, 'spool/0/quarantine'))).toBe(torn)
      }
    }, 30_000)

    test(`R16: ${name}, corrupted anywhere: whole records are stored, the broken one is put aside`, async () => {
      const { dir, segment, ends } = await leftSegment(closed)
      for (const at of sample(0, segmentSize(dir, segment), 16)) {
        const copy = copyOf(dir)
        const content = readFileSync(join(copy, segment))
        content.writeUInt8((content[at] ?? 0) ^ 0x40, at)
        writeFileSync(join(copy, segment), content)
        const hit = ends.findIndex((end) => at < end)
        const { kept, ledger } = await stores(copy)
        const others = kept.filter((one) => one.outcome === 'completed')
        expect(others.map((one) => one.seq)).toEqual([1, 2, 3, 4, 5].filter((seq) => seq !== hit + 1))
        // A body that was hit leaves OPEN and SEAL: then there is a row that says so.
        const salvaged = kept.filter((one) => one.outcome === 'damaged').length
        expect(ledger).toMatchObject({
          accepted: count,
          stored: count - 1 + salvaged,
          quarantined: 1 - salvaged,
        })
        expect(readdirSync(join(copy, 'spool/0/quarantine')).length).toBe(1)
      }
    }, 30_000)
  }

  test('R16: looked through after any one byte was changed, it gives every other exchange', () => {
    const all = [1, 2, 3].map((seq) => exchange(seq))
    const clean = Buffer.concat(all.map(encodeExchange))
    for (let at = 0; at < clean.length; at++) {
      const broken = Buffer.from(clean)
      broken.writeUInt8((broken[at] ?? 0) ^ 0x01, at)
      const found = inspect(broken)
      const { exchanges, damaged } = decodeExchanges(found.frames)
      expect(damaged).toEqual([])
      expect(exchanges.length).toBe(found.exchanges)
      expect(exchanges.filter((read) => read.end.outcome === 'completed').length).toBe(2)
      expect(found.broken.length).toBe(1)
    }
  })

  test('a segment that somebody deleted is counted, and waited for no longer', async () => {
    const { dir, segment } = await leftSegment(true)
    const store = storeIn(dir)
    store.queueDown = true
    const spool = await spoolIn(dir, store)
    expect(spool.ledger()).toMatchObject({ accepted: count, spooled: count })
    await until('it was tried', () => store.refused > 0)
    unlinkSync(join(dir, segment))
    store.queueDown = false
    await until('it is given up', () => spool.ledger().spooled === 0 && spool.ledger().bytes === 0)
    addsUp(spool.ledger())
    expect(spool.ledger()).toMatchObject({ accepted: count, quarantined: count, stored: 0, bytes: 0 })
    await spool.close()
  })

  test('R16: bytes that are no segment at all stop nothing', async () => {
    const { dir, segment } = await leftSegment(true)
    writeFileSync(join(dir, segment), bytes(5_000))
    writeFileSync(join(dir, 'spool/0/state.json'), 'not json')
    writeFileSync(join(dir, 'spool/0/segments/README'), 'left by a person')
    writeFileSync(join(dir, 'spool/0/open/7'), bytes(500))
    await stores(dir, { stored: 0, quarantined: count })
    expect(existsSync(join(dir, 'spool/0/segments/README'))).toBe(true)
    expect(readdirSync(join(dir, 'spool/0/quarantine')).length).toBe(2)
  })
})

describe('the file of an exchange whose gateway died', () => {
  const whole = exchange(7, { request: bytes(200), response: bytes(300, 2) })
  const full = Buffer.from(encodeExchange(whole))

  test('R16: truncated anywhere, it is one whole exchange with what was there', () => {
    const dir = scratch()
    const openEnd = full.indexOf(Buffer.from([0xf5, 0x53, 0x4c, 0x43]), 4)
    for (const cut of [...sample(0, full.length, 150), full.length]) {
      const path = join(dir, `${whole.open.id}`)
      writeFileSync(path, full.subarray(0, cut))
      const recovered = recoverOpenFile(path, { dir: join(dir, String(cut)), nextSeq: 12 })
      if (cut < openEnd) {
        expect(recovered).toEqual({ state: cut === 0 ? 'empty' : 'lost', seq: 0 })
        expect(readFileSync(path).length).toBe(0)
        continue
      }
      const [read] = decodeExchanges(readFileSync(path)).exchanges
      expect(recovered).toEqual({ seq: cut === full.length ? 7 : 12, state: 'whole' })
      expect(read?.end.outcome).toBe(cut === full.length ? 'completed' : 'gateway_crashed')
      const request = Buffer.from(read?.request ?? [])
      expect(request.equals(whole.request) || request.length === 0).toBe(true)
      expect(recoverOpenFile(path, { dir, nextSeq: 99 })).toEqual(recovered)
    }
  })

  test('R16: corrupted anywhere, it is a damaged exchange or in the quarantine', () => {
    const dir = scratch()
    for (const at of sample(0, full.length, 150)) {
      const path = join(dir, `${whole.open.id}`)
      const broken = Buffer.from(full)
      broken.writeUInt8((broken[at] ?? 0) ^ 0x10, at)
      writeFileSync(path, broken)
      const aside = join(dir, String(at))
      const { state } = recoverOpenFile(path, { dir: aside, nextSeq: 12 })
      const [name = ''] = readdirSync(join(aside, 'quarantine'))
      expect(readFileSync(join(aside, 'quarantine', name)).equals(broken)).toBe(true)
      expect(readFileSync(path).length === 0).toBe(state === 'lost')
      if (state === 'lost') continue
      const { exchanges, damaged } = decodeExchanges(readFileSync(path))
      expect(damaged).toEqual([])
      expect(exchanges.map((read) => read.end.outcome)).not.toContain('completed')
      expect(exchanges.length).toBe(1)
    }
  })
})

test('R10: open exchanges of a dead gateway keep their bytes, and are stored as gateway_crashed', async () => {
  const dir = scratch()
  const store = storeIn(dir)
  const spool = await spoolIn(dir, store)
  const open = openOf()
  const recording = spool.begin(open)
  recording.request(bytes(100))
  recording.response(bytes(200_000, 2))
  await until('it has a file', () => openFiles(dir).length === 1)
  await spool.close()
  expect(() => recording.seal(endOf())).toThrow('the spool is closed')
  expect(store.kept()).toEqual([])
  const { kept, ledger } = await stores(dir)
  expect(ledger).toMatchObject({ accepted: 1, stored: 1 })
  expect(kept).toMatchObject([
    {
      id: open.id,
      outcome: 'gateway_crashed',
      request: sha256(bytes(100)),
      response: sha256(bytes(200_000, 2)),
    },
  ])
})

/** A slot that holds one segment, not shipped. Returns its path within the folder, and where its exchanges end. */
async function leftSegment(closed: boolean) {
  const dir = scratch()
  const store = storeIn(dir)
  store.queueDown = true
  const spool = await spoolIn(dir, store)
  for (let seed = 1; seed <= count; seed++) record(spool, bytes(40, seed), bytes(90, seed))
  await spool.close(0)
  const segments = join(dir, 'spool/0/segments')
  const [name = ''] = readdirSync(segments)
  const open = `${name.split('-')[0]}.seg`
  if (!closed) {
    renameSync(join(segments, name), join(segments, open))
    writeFileSync(join(dir, 'spool/0/state.json'), '')
  }
  const segment = join('spool/0/segments', closed ? name : open)
  const content = readFileSync(join(dir, segment))
  const ends: number[] = []
  let end = 0
  for (const read of decodeExchanges(content).exchanges) {
    end += encodeExchange(read).length
    ends.push(end)
  }
  expect(ends.at(-1)).toBe(content.length)
  return { dir, segment, ends }
}

function segmentSize(dir: string, segment: string): number {
  return readFileSync(join(dir, segment)).length
}

function copyOf(dir: string): string {
  const copy = scratch()
  mkdirSync(join(copy, 'spool'), { recursive: true })
  cpSync(join(dir, 'spool'), join(copy, 'spool'), { recursive: true })
  return copy
}

async function stores(dir: string, expected: { stored?: number; quarantined?: number } = {}) {
  const store = storeIn(dir)
  const spool = await spoolIn(dir, store)
  addsUp(spool.ledger())
  await spool.close(10_000)
  const ledger = spool.ledger()
  addsUp(ledger)
  expect(ledger).toMatchObject({ spooled: 0, queued: 0, dropped: 0, ...expected })
  const again = await spoolIn(dir, store)
  expect(again.ledger()).toEqual({ ...ledger, bytes: again.ledger().bytes })
  await again.close()
  return { kept: store.kept(), ledger }
}

/** Some places, spread evenly, the ends included. */
function sample(from: number, to: number, places: number): number[] {
  return Array.from({ length: places }, (_, at) =>
    Math.min(to - 1, from + Math.floor(((to - from) * at) / (places - 1))),
  )
}
