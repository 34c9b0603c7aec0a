import { join } from 'node:path'
import { openSpool, type SpoolOptions } from '../../../src/capture/spool.ts'
import { openLog } from '../../../src/lib/log.ts'
import { openStore, type TestStore } from './store.ts'

export const quiet = openLog('test', 'silent')

export function spoolIn(dir: string, store: TestStore, changes: Partial<SpoolOptions> = {}) {
  const { producer, commits } = store
  return openSpool({
    dir: join(dir, 'spool'),
    maxBytes: 1024 ** 3,
    whenFull: 'block',
    log: quiet,
    producer,
    commits,
    ...changes,
  })
}

export function storeIn(dir: string): TestStore {
  return openStore(join(dir, 'store'))
}

export function bytes(length: number, seed = 1): Uint8Array {
  const result = new Uint8Array(length)
  let state = seed * 2_654_435_761
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    result[at] = state >>> 24
  }
  return result
}
