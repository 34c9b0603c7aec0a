import { expect, test } from 'bun:test'
import { cases } from '../../scripts/chaos/cases.ts'
import type { Reconciled } from '../../scripts/chaos/reconcile.ts'

/** The cases of `bun run chaos`, short: what clients saw is what the record holds, hash by hash. */
const options = { seconds: 4, seed: 20_261_120 }

const proofs: [id: string, name: string][] = [
  ['R2: the gateway killed under load', 'gateway'],
  ['R2, Q4: the workers killed under load', 'worker'],
  ['R1: the whole product told to stop under load, and started again', 'sigterm'],
  ['R16: every process killed at once, and started again', 'everything'],
  ['R2: Redis killed under load', 'redis'],
  ['R2: Postgres killed under load', 'postgres'],
]

test.each(proofs)(
  '%s: nothing is lost, doubled or changed',
  async (_, name) => {
    const result = await (cases[name]?.run(name, options) as Promise<Reconciled>)
    expect(result).toMatchObject({ missing: 0, wrongHash: 0, duplicates: 0, ledgerAddsUp: true })
    expect(result.seen).toBeGreaterThan(20)
  },
  120_000,
)
