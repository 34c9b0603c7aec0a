import { describe, expect, test } from 'bun:test'
import type { Recording } from '../../../src/capture/recording.ts'
import { until } from '../../support/until.ts'
import { endOf, openOf } from '../support.ts'
import { bytes, spoolIn, storeIn } from './opening.ts'
import { addsUp, scratch } from './support.ts'

describe('the ledger', () => {
  for (const seed of [1, 2, 3]) {
    test(`R4: adds up at every moment of a random run (seed ${seed})`, async () => {
      const dir = scratch()
      const random = randomFrom(seed)
      const store = storeIn(dir)
      let spool = await spoolIn(dir, store)
      let sealed = 0
      let left = 0
      const open: Recording[] = []
      const seal = () => {
        const [recording] = open.splice(Math.floor(random() * open.length), 1)
        recording?.seal(endOf())
        sealed += recording === undefined ? 0 : 1
      }
      for (let round = 0; round < 400; round++) {
        const dice = random()
        if (dice < 0.35) open.push(spool.begin(openOf({ mode: random() < 0.2 ? 'metadata' : 'full' })))
        else if (dice < 0.6) open.at(-1)?.response(bytes(Math.floor(random() ** 4 * 400_000), round))
        else if (dice < 0.9) seal()
        else if (dice < 0.93) store.queueDown = !store.queueDown
        else if (dice < 0.96) store.storeDown = !store.storeDown
        else if (dice < 0.99)
          await Bun.sleep(random() * 120) // up to a tick of the spool and a little
        else {
          left += open.splice(0).length
          await spool.close(random() * 100)
          addsUp(spool.ledger())
          const before = spool.ledger()
          spool = await spoolIn(dir, store)
          expect(spool.ledger().accepted).toBe(sealed + left)
          expect(spool.ledger().stored).toBe(before.stored)
        }
        addsUp(spool.ledger())
        expect(spool.ledger()).toMatchObject({ accepted: sealed + left, open: open.length, dropped: 0 })
      }
      while (open.length > 0) seal()
      store.queueDown = false
      store.storeDown = false
      await until('all are stored', () => {
        addsUp(spool.ledger())
        return spool.ledger().stored === sealed + left
      })
      await spool.close()
      const kept = store.kept()
      expect(kept.length).toBe(sealed + left)
      expect(kept.filter((one) => one.outcome === 'gateway_crashed').length).toBe(left)
      expect(kept.map((one) => one.seq).sort((a, b) => a - b)).toEqual(kept.map((_, at) => at + 1))
    }, 30_000)
  }
})

function randomFrom(seed: number): () => number {
  let state = seed * 7_919
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
