import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import { sealedSeq } from '../frame.ts'
import { closedName, Depot, type Step, segmentsIn } from './depot.ts'
import { openFilesIn } from './open-files.ts'
import { type Recovered, recoverOpenFile } from './recover-open.ts'
import { scan } from './scan.ts'
import type { Slot } from './slot.ts'
import { openState, type SpoolState } from './state.ts'

type Found = { number: number; path: string; bytes: number; exchanges: number; seq: number }

/**
 * Brings a slot that was left in whatever state to order: everything in it is in closed segments afterwards.
 * Being killed at any point of it and starting again leads to the same end.
 */
export function recover(slot: Slot, options: { log: Logger; step: Step }): Depot {
  const { dir } = slot
  mkdirSync(segmentsIn(dir), { recursive: true })
  mkdirSync(openFilesIn(dir), { recursive: true })
  const state = openState(join(dir, 'state.json'))
  const depot = new Depot({ dir, id: slot.id, state, ...options })
  const known = state.found
  const { closed, unclosed } = findSegments(dir, depot, new Set(known?.settled))
  const { seqs, copied, damage } = readUnclosed(unclosed)
  depot.ledger.seq = Math.max(known?.seq ?? 0, ...seqs, ...closed.map((found) => found.seq))

  depot.ledger.seq = Math.max(depot.ledger.seq, ...openFileSeqs(dir))
  const recovered = recoverOpenFiles(depot, copied)
  // Only now: which exchanges were copied into the unclosed segment is known as long as it is unclosed.
  const ended = unclosed.map((found) => closeFound(dir, found))
  depot.step('recovery:closed')

  for (const found of [...closed, ...ended, ...recovered.found].sort((a, b) => a.number - b.number)) {
    const { number, path, bytes, exchanges } = found
    depot.add({ number, path, bytes, exchanges, lost: 0, place: 'spooled', found: true })
  }
  countUp(depot, known, damage || recovered.damage)
  return depot
}

/** The numbers in files of their own: known before any new one is given. */
function openFileSeqs(dir: string): number[] {
  return readdirSync(openFilesIn(dir)).map((name) => {
    const bytes = readFileSync(join(openFilesIn(dir), name))
    return Math.max(0, ...scan(bytes).map((run) => sealedSeq(bytes, run)))
  })
}

/** Makes every exchange that has a file of its own a batch. Empty files stay, to be used again. */
function recoverOpenFiles(depot: Depot, copied: Set<string>): { found: Found[]; damage: boolean } {
  const { dir, ledger } = depot
  const found: Found[] = []
  let damage = false
  for (const name of readdirSync(openFilesIn(dir))) {
    const path = join(openFilesIn(dir), name)
    if (name.endsWith('.new')) {
      rmSync(path)
      continue
    }
    const exchange = tryRecover(depot, path, copied)
    depot.step('recovery:sealed')
    ledger.seq = Math.max(ledger.seq, exchange?.seq ?? 0)
    damage ||= exchange?.state === 'lost'
    if (exchange?.state !== 'whole') continue
    const number = depot.nextNumber()
    const target = join(segmentsIn(dir), closedName(number, 1, exchange.seq))
    renameSync(path, target)
    depot.step('recovery:moved')
    found.push({ number, path: target, bytes: statSync(target).size, exchanges: 1, seq: exchange.seq })
  }
  return { found, damage }
}

/** On a full disk the file waits for the next start. */
function tryRecover(depot: Depot, path: string, copied: Set<string>): Recovered | null {
  try {
    return recoverOpenFile(path, { dir: depot.dir, nextSeq: depot.ledger.seq + 1, copied })
  } catch (error) {
    depot.log.error(
      { path, reason: errorText(error) },
      'spool: an unfinished exchange cannot be recovered yet',
    )
    return null
  }
}

function findSegments(
  dir: string,
  depot: Depot,
  settled: Set<number>,
): Record<'closed' | 'unclosed', Found[]> {
  const result: Record<'closed' | 'unclosed', Found[]> = { closed: [], unclosed: [] }
  for (const name of readdirSync(segmentsIn(dir))) {
    const path = join(segmentsIn(dir), name)
    const match = /^(\d+)(?:-(\d+)-(\d+))?\.seg$/.exec(name)
    if (match === null) {
      depot.log.warn({ path }, 'spool: a file that is not a segment is left alone')
      continue
    }
    const number = Number(match[1])
    depot.seen(number)
    if (settled.has(number)) {
      rmSync(path)
      continue
    }
    const found = {
      number,
      path,
      bytes: statSync(path).size,
      exchanges: Number(match[2]),
      seq: Number(match[3]),
    }
    if (match[2] === undefined) result.unclosed.push({ ...found, exchanges: 0, seq: 0 })
    else result.closed.push(found)
  }
  return result
}

/** Counts what is in segments that were being written, and tells which exchanges these are. */
function readUnclosed(unclosed: Found[]): { seqs: number[]; copied: Set<string>; damage: boolean } {
  const copied = new Set<string>()
  let damage = false
  for (const found of unclosed) {
    const bytes = readFileSync(found.path)
    for (const run of scan(bytes)) {
      found.exchanges += 1
      if (run.fault === null && run.id !== null) {
        copied.add(run.id)
        found.seq = Math.max(found.seq, sealedSeq(bytes, run))
      } else {
        damage = true
      }
    }
  }
  return { seqs: unclosed.map((found) => found.seq), copied, damage }
}

function closeFound(dir: string, found: Found): Found {
  const path = join(segmentsIn(dir), closedName(found.number, found.exchanges, found.seq))
  renameSync(found.path, path)
  return { ...found, path }
}

/**
 * Sets the ledger. What was accepted and is nowhere to be found was dropped in the last moment before the crash,
 * where nothing is damaged; otherwise it is in the damage. Where the state itself is lost, it is in the store.
 */
function countUp(depot: Depot, known: SpoolState | null, damage: boolean): void {
  const { ledger } = depot
  ledger.count(known?.stored ?? 0, 'stored')
  ledger.count(known?.quarantined ?? 0, 'quarantined')
  ledger.count(known?.dropped ?? 0, 'dropped')
  ledger.count(
    depot.batches.reduce((sum, batch) => sum + batch.exchanges, 0),
    'spooled',
  )
  const corrected = known === null ? 0 : known.seq - known.accepted
  const missing = ledger.seq - corrected - ledger.accepted
  if (missing > 0) {
    const place = known === null ? 'stored' : damage ? 'quarantined' : 'dropped'
    depot.log.error({ spool: depot.id, missing, place }, 'spool: exchanges are counted that are not on disk')
    ledger.count(missing, place)
  }
  ledger.seq = Math.max(ledger.seq, ledger.accepted)
  depot.save()
}
