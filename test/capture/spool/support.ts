import { expect } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SpoolLedger } from '../../../src/capture/recording.ts'
import type { openSpool } from '../../../src/capture/spool.ts'
import { endOf, openOf, sha256 } from '../support.ts'

export { temporaryFolder as scratch } from '../../support/folder.ts'

/** Records an exchange from its beginning to its end. */
export function record(
  spool: Awaited<ReturnType<typeof openSpool>>,
  request: Uint8Array,
  response: Uint8Array,
) {
  const open = openOf()
  const recording = spool.begin(open)
  recording.request(request)
  recording.response(response)
  const sealed = recording.seal(endOf())
  return { id: open.id, request: sha256(request), response: sha256(response), sealed }
}

export function addsUp(ledger: SpoolLedger): void {
  const { stored, spooled, queued, quarantined, dropped, accepted } = ledger
  expect({ ledger, sum: stored + spooled + queued + quarantined + dropped }).toEqual({
    ledger,
    sum: accepted,
  })
  for (const count of [stored, spooled, queued, quarantined, dropped, ledger.open]) {
    expect(count).toBeGreaterThanOrEqual(0)
  }
}

/** What is in the slot's files of exchanges that are open, or sealed and not folded; empty files are spares. */
export function openFiles(dir: string, slot = 0): Buffer[] {
  const folder = join(dir, 'spool', String(slot), 'open')
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name)))
    .filter((content) => content.length > 0)
}
