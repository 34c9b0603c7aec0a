import type { JobFigures } from './jobs.ts'
import type { McpFigures } from './mcp/mcp.ts'
import type { ReadFigures } from './reads/reads.ts'
import type { RecordFigures } from './record.ts'
import type { RuleFigures } from './rules.ts'
import type { StartFigures } from './starts.ts'
import type { StorageFigures } from './storage.ts'
import type { Measured } from './workloads.ts'

/** Markdown, so that a table can go into a document as it is. */
export function printProxies(results: readonly Measured[]): void {
  for (const workload of new Set(results.map((result) => result.workload))) {
    const rows = results.filter((result) => result.workload === workload)
    const bare = rows.find((row) => row.target === 'bare')
    console.log(`\n### ${workload}\n`)
    table(
      ['target', 'req/s', 'p50 ms', 'p99 ms', 'CPU µs/req', 'of bare', 'RSS MiB', 'frames p99 ms', 'errors'],
      rows.map((row) => [
        ...[row.target, round(row.perSecond), row.p50Ms.toFixed(2), row.p99Ms.toFixed(2), round(row.cpuUs)],
        // Requests a CPU-second, as a share of the bare proxy's.
        bare === undefined || row.cpuUs === 0 ? '' : (bare.cpuUs / row.cpuUs).toFixed(2),
        ...[round(row.rssMiB), row.frames > 0 ? row.framesP99Ms.toFixed(1) : '', String(row.errors)],
      ]),
    )
  }
}

export function printRules(figures: RuleFigures): void {
  if (figures.length === 0) return
  console.log('\n### rules: what deciding costs the gateway, small JSON, 8 connections\n')
  table(
    ['setting', 'CPU µs/req', 'added'],
    figures.map(({ setting, cpuUs, addedUs }) => [setting, round(cpuUs), round(addedUs)]),
  )
}

export function printRecord(figures: RecordFigures): void {
  console.log('\n### record: exchanges of 8 KB into Postgres\n')
  table(
    ['offered/s', 'stored/s', 'visible p50 ms', 'visible p99 ms', 'worker CPU µs', 'burst stored/s'],
    [
      [
        ...[round(figures.offeredPerSecond), round(figures.storedPerSecond), round(figures.visibleP50Ms)],
        ...[round(figures.visibleP99Ms), round(figures.workerCpuUs), round(figures.burst.storedPerSecond)],
      ],
    ],
  )
}

export function printReads({ rows, bytes, reads, beside }: ReadFigures): void {
  console.log(`\n### reads: ${rows} exchanges, ${(bytes / 1e9).toFixed(1)} GB\n`)
  table(
    ['read', 'first ms', 'p50 ms', 'p99 ms', 'items', 'errors'],
    reads.map((read) => [
      ...[`\`${read.name}\``, round(read.firstMs), read.p50Ms.toFixed(1), read.p99Ms.toFixed(1)],
      `${read.items ?? ''}${read.stopped ? ' and a cursor' : ''}`,
      String(read.errors),
    ]),
  )
  const { perSecond, readsPerSecond, alone, errors } = beside
  console.log('')
  table(
    ['calls/s through the proxy', 'p50 ms', 'p99 ms', 'beside reads/s', 'p50 ms', 'p99 ms', 'errors'],
    [
      [
        ...[String(perSecond), alone.p50Ms.toFixed(2), alone.p99Ms.toFixed(2), round(readsPerSecond)],
        ...[beside.beside.p50Ms.toFixed(2), beside.beside.p99Ms.toFixed(2), String(errors)],
      ],
    ],
  )
}

export function printJobs(figures: readonly JobFigures[]): void {
  if (figures.length === 0) return
  console.log('\n### jobs over HTTP, with idempotency keys\n')
  table(
    [
      'queue',
      'submitted/s',
      'p99 ms',
      'at rate',
      'p99 ms',
      'ran/s (calls)',
      'pick-up p50 ms',
      'p99 ms',
      'errors',
    ],
    figures.map((one) => [
      ...[one.engine, round(one.submittedPerSecond), round(one.submittedP99Ms), round(one.halfRate)],
      ...[round(one.halfP99Ms), round(one.ranPerSecond), round(one.pickUpP50Ms), round(one.pickUpP99Ms)],
      String(one.errors),
    ]),
  )
}

export function printStorage(figures: StorageFigures): void {
  console.log(`\n### storage: agent conversation of ${figures.turns} turns\n`)
  table(
    [
      'sent MB',
      'distinct, compressed KB',
      'content stored KB',
      'ratio',
      'all tables and indexes KB',
      'per turn KB',
    ],
    [
      [
        ...[(figures.sentBytes / 1e6).toFixed(1), kb(figures.distinctCompressed), kb(figures.content)],
        (figures.content / figures.distinctCompressed).toFixed(2),
        ...[kb(figures.everything), (figures.everything / figures.turns / 1e3).toFixed(1)],
      ],
    ],
  )
}

export function printStarts(figures: StartFigures): void {
  console.log('\n### start\n')
  table(
    ['bun start, new data ms', 'bun start, again ms', 'gateway alone ms', 'gateway idle RSS MiB'],
    [[round(figures.firstMs), round(figures.againMs), round(figures.gatewayMs), round(figures.idleRssMiB)]],
  )
}

export function printMcp({ rows, told, relay }: McpFigures): void {
  console.log('\n### mcp: calls of a tool, recording on; times beyond the tool’s own\n')
  table(
    [
      '',
      'way',
      'calls/s',
      'p50 ms',
      'p99 ms',
      'added p50 ms',
      'added p99 ms',
      'CPU µs/call',
      'RSS MiB',
      'errors',
    ],
    rows.map((row) => {
      const direct = rows.find(({ what, way }) => what === row.what && way === 'direct')
      const added = (name: 'p50Ms' | 'p99Ms') =>
        direct === undefined || direct === row ? '' : (row[name] - direct[name]).toFixed(2)
      return [
        ...[row.what, row.way, round(row.perSecond), row.p50Ms.toFixed(2), row.p99Ms.toFixed(2)],
        ...[added('p50Ms'), added('p99Ms'), round(row.cpuUs), round(row.rssMiB), String(row.errors)],
      ]
    }),
  )
  console.log('')
  table(
    [
      'listeners',
      'told of a toggle',
      'p50 ms',
      'last ms',
      'relay: start to first answer ms',
      'relay: RSS MiB',
    ],
    [
      [
        ...[String(told.listeners), String(told.told), round(told.p50Ms), round(told.lastMs)],
        ...[round(relay.startMs), round(relay.rssMiB)],
      ],
    ],
  )
}

export function table(head: string[], rows: string[][]): void {
  const line = (cells: string[]) => console.log(`| ${cells.join(' | ')} |`)
  line(head)
  line(head.map(() => '---'))
  rows.forEach(line)
}

const round = (value: number) => String(Math.round(value))
const kb = (bytes: number) => String(Math.round(bytes / 1e3))
