import type { Series } from './trend.ts'
import type { Ledger, ProcessVitals, Vitals } from './vitals.ts'

/** The lowest of a minute's looks, but for the lag, which is the highest, and the ledger, which is the last. */
export type Minute = {
  processes: Record<string, ProcessVitals>
  postgres: Vitals['postgres']
  spoolBytes: number
  brokerDepth: number
  ledger: Ledger
  /** CPU of each process in the minute, in s. */
  cpu: Record<string, number>
}

/** @param before the last look of the minute before */
export function minuteOf(before: Vitals, looks: readonly Vitals[]): Minute {
  const last = looks.at(-1) ?? before
  const names = Object.keys(last.processes)
  return {
    processes: Object.fromEntries(
      names.map((name) => [name, lowestOf(looks.flatMap(({ processes }) => processes[name] ?? []))]),
    ),
    postgres: lowest(looks.map(({ postgres }) => postgres)),
    spoolBytes: Math.min(...looks.map(({ ledger }) => ledger.bytes)),
    brokerDepth: Math.min(...looks.map(({ brokerDepth }) => brokerDepth)),
    ledger: last.ledger,
    cpu: Object.fromEntries(
      names.map((name) => [
        name,
        (last.processes[name]?.cpuSeconds ?? 0) - (before.processes[name]?.cpuSeconds ?? 0),
      ]),
    ),
  }
}

/**
 * What may not rise, and by how much an hour it may seem to: sockets follow the most calls that were ever under way at
 * once, memory the most that was ever needed. The rarest kind of call comes a thousand times an hour.
 */
export function seriesOf(minutes: readonly Minute[]): Series[] {
  const names = Object.keys(minutes[0]?.processes ?? {})
  const of = (
    name: string,
    unit: string,
    allowedPerHour: number,
    value: (minute: Minute) => number,
  ): Series => ({
    ...{ name, unit, allowedPerHour, perMinute: minutes.map(value) },
  })
  const ofProcess = (field: keyof ProcessVitals) => (name: string) => (minute: Minute) =>
    minute.processes[name]?.[field] ?? Number.NaN
  return [
    ...names.map((name) => of(`${name}: RSS`, 'MiB', 8, ofProcess('rssMiB')(name))),
    ...names.map((name) => of(`${name}: heap`, 'MiB', 4, ofProcess('heapMiB')(name))),
    ...names.map((name) => of(`${name}: descriptors`, '', 20, ofProcess('descriptors')(name))),
    of('gateway: files of calls under way', '', Infinity, ofProcess('spares')('gateway')),
    ...names.map((name) => of(`${name}: threads`, '', 2, ofProcess('threads')(name))),
    of('Postgres: connections', '', 2, ({ postgres }) => postgres.connections),
    of('Postgres: processes', '', 2, ({ postgres }) => postgres.processes),
    of('Postgres: own memory', 'MiB', 32, ({ postgres }) => postgres.anonMiB),
    of('Postgres: shared buffers in use', 'MiB', Infinity, ({ postgres }) => postgres.sharedMiB),
    of('spool', 'KiB', 64, ({ spoolBytes }) => spoolBytes / 1024),
    of('broker depth', 'jobs', 5, ({ brokerDepth }) => brokerDepth),
    of('not stored yet', 'exchanges', 20, ({ ledger }) => ledger.accepted - ledger.stored),
  ]
}

function lowestOf(vitals: readonly ProcessVitals[]): ProcessVitals {
  return { ...lowest(vitals), lagMs: Math.max(...vitals.map(({ lagMs }) => lagMs)) }
}

function lowest<Row extends Record<string, number>>(rows: readonly Row[]): Row {
  const names = Object.keys(rows[0] ?? {})
  const floor = (name: string) =>
    Math.min(...rows.map((row) => row[name] ?? Number.NaN).filter((value) => !Number.isNaN(value)))
  return Object.fromEntries(names.map((name) => [name, floor(name)])) as Row
}
