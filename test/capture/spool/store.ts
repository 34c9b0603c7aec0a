import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LoggingPayload } from '../../../queues/logging.ts'
import type { BatchResult, Commits } from '../../../src/capture/commits.ts'
import { decodeExchanges } from '../../../src/capture/frame.ts'
import type { SpoolLedger } from '../../../src/capture/recording.ts'
import type { LoggingProducer } from '../../../src/capture/spool/forwarder.ts'
import { sha256 } from '../support.ts'

export type Kept = {
  id: string
  seq: number
  outcome: string
  error: string | null
  request: string
  response: string
}

/** A queue and a store in a folder, so that they outlive a process under test: batches are really decoded. */
export function openStore(dir: string) {
  mkdirSync(dir, { recursive: true })
  const store = {
    queueDown: false,
    storeDown: false,
    /** Takes jobs and loses them. */
    lossy: false,
    jobs: [] as string[],
    /** Jobs that came while the queue was down. */
    refused: 0,
    waiting: [] as LoggingPayload[],
    reports: [] as SpoolLedger[],
    /** All exchanges in the store, in the order of their batches. */
    kept(): Kept[] {
      return batches(dir).flatMap((name) => read(dir, name).exchanges)
    },
    work() {
      for (const payload of store.waiting.splice(0)) commit(dir, payload)
    },
    producer: {
      async enqueue(payload, { id }) {
        if (store.queueDown) {
          store.refused += 1
          throw new Error('the queue is down')
        }
        if (store.jobs.includes(id)) return
        store.jobs.push(id)
        if (store.lossy) return
        store.waiting.push(structuredClone(payload))
        if (!store.storeDown) store.work()
      },
    } satisfies LoggingProducer,
    commits: {
      async committed(spool, names) {
        if (store.storeDown) throw new Error('the store is down')
        store.work()
        const known = new Map<string, BatchResult>()
        for (const name of names) {
          const file = `${spool}-${name}`
          if (existsSync(join(dir, `${file}.part`))) known.set(name, { stored: 0, quarantined: 0 })
          if (!existsSync(join(dir, `${file}.batch`))) continue
          const { exchanges, damaged } = read(dir, `${file}.batch`)
          known.set(name, { stored: exchanges.length, quarantined: damaged })
        }
        return known
      },
      async report(ledger) {
        if (store.storeDown) throw new Error('the store is down')
        store.reports.push(ledger)
      },
    } satisfies Commits,
  }
  return store
}

export type TestStore = ReturnType<typeof openStore>

function batches(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.batch'))
    .sort()
}

function read(dir: string, name: string): { exchanges: Kept[]; damaged: number } {
  return JSON.parse(readFileSync(join(dir, name), 'utf8'))
}

/** Idempotent by the batch's name, and by the floor, as the real worker. */
function commit(dir: string, payload: LoggingPayload): void {
  const name = join(dir, `${payload.spool}-${payload.batch}`)
  if (existsSync(`${name}.batch`)) return
  const floorFile = join(dir, `${payload.spool}.floor`)
  const floor = existsSync(floorFile) ? Number(readFileSync(floorFile, 'utf8')) : 0
  if (Number(payload.batch) < floor) return
  put(floorFile, String(Math.max(floor, payload.floor)))
  const bytes = Bun.zstdDecompressSync(Buffer.from(payload.frames, 'base64'))
  if (payload.part < payload.parts - 1) {
    put(`${name}-p${payload.part}.part`, bytes)
    return
  }
  const parts = Array.from({ length: payload.parts - 1 }, (_, part) => readFileSync(`${name}-p${part}.part`))
  const { exchanges, damaged } = decodeExchanges(Buffer.concat([...parts, bytes]))
  const kept = exchanges.map(({ open, end, request, response }) => {
    const { seq, outcome, error } = end
    return { id: open.id, seq, outcome, error, request: sha256(request), response: sha256(response) }
  })
  put(`${name}.batch`, JSON.stringify({ exchanges: kept, damaged: damaged.length }))
}

function put(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.new`, content)
  renameSync(`${path}.new`, path)
}
