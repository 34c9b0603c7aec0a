import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Sql } from 'postgres'
import { cpuSeconds, residentMiB, statusMiB } from '../process-cost.ts'
import { auth } from '../record.ts'
import type { RunningSluice } from '../sluice.ts'
import type { Probe } from './probe.ts'

/** One look at the whole product. */
export type Vitals = {
  processes: Record<string, ProcessVitals>
  postgres: {
    connections: number
    processes: number
    anonMiB: number
    sharedMiB: number
    databaseMiB: number
  }
  brokerDepth: number
  ledger: Ledger
}

export type ProcessVitals = {
  rssMiB: number
  heapMiB: number
  /** Without `spares`. */
  descriptors: number
  /** Files of the spool for calls under way, kept for the next ones: as many as were ever needed at once, 1,024 at most. */
  spares: number
  threads: number
  /** The latest that a timer fired since the look before. */
  lagMs: number
  cpuSeconds: number
}

export type Ledger = Record<
  'accepted' | 'stored' | 'spooled' | 'queued' | 'quarantined' | 'dropped' | 'bytes',
  number
> & {
  adds_up: boolean
}

type Watched = { sluice: RunningSluice; sql: Sql; probes: string }

/** @throws Error where a process has ended */
export async function lookAt({ sluice, sql, probes }: Watched): Promise<Vitals> {
  const processes = Object.entries(processesOf(sluice)).map(([name, pid]) => [name, look(name, pid, probes)])
  const [activity] = await sql`
    select pg_database_size(current_database()) / 1048576.0 as size,
      (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections`
  const servers = serverPids(sluice.dataDir)
  return {
    processes: Object.fromEntries(processes),
    postgres: {
      connections: Number(activity?.connections),
      processes: servers.length,
      anonMiB: servers.reduce((sum, pid) => sum + statusMiB(pid, 'RssAnon'), 0),
      sharedMiB: Math.max(...servers.map((pid) => statusMiB(pid, 'RssShmem'))),
      databaseMiB: Number(activity?.size),
    },
    ledger: await readLedger(sluice),
    brokerDepth: await readDepth(sluice),
  }
}

export function processesOf({
  supervisorPid,
  gatewayPid,
  workerPids,
}: RunningSluice): Record<string, number> {
  const workers = workerPids.map((pid, at) => [`worker ${at + 1}`, pid])
  return { gateway: gatewayPid, ...Object.fromEntries(workers), supervisor: supervisorPid }
}

export function readProbe(probes: string, pid: number): Probe {
  try {
    return JSON.parse(readFileSync(join(probes, `${pid}.json`), 'utf8'))
  } catch {
    // Not written yet, or just being written.
    return { heapMiB: Number.NaN, lagMs: 0, objects: {} }
  }
}

function look(name: string, pid: number, probes: string): ProcessVitals {
  const rssMiB = residentMiB(pid)
  if (rssMiB === 0) throw new Error(`${name} (process ${pid}) has ended`)
  const { heapMiB, lagMs } = readProbe(probes, pid)
  return {
    ...{ rssMiB, heapMiB, lagMs, cpuSeconds: cpuSeconds(pid) },
    ...countDescriptors(pid),
    threads: readdirSync(`/proc/${pid}/task`).length,
  }
}

function countDescriptors(pid: number): Pick<ProcessVitals, 'descriptors' | 'spares'> {
  const all = readdirSync(`/proc/${pid}/fd`)
  const spares = all.filter((fd) => /\/spool\/.*\/open\/\d+$/.test(targetOf(pid, fd))).length
  return { descriptors: all.length - spares, spares }
}

function targetOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    // Closed meanwhile.
    return ''
  }
}

function serverPids(dataDir: string): number[] {
  const postmaster = Number(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim()
  return [postmaster, ...children.split(' ').map(Number)]
}

async function readLedger(sluice: RunningSluice): Promise<Ledger> {
  const answer = await fetch(`${sluice.url}/api/ledger`, { headers: auth(sluice) })
  const { total } = (await answer.json()) as { total: Ledger }
  return total
}

/** Jobs that wait or run in all queues of the system. */
async function readDepth(sluice: RunningSluice): Promise<number> {
  const answer = await fetch(`${sluice.url}/metrics`)
  const lines = (await answer.text()).split('\n').filter((line) => line.startsWith('sluice_queue_jobs{'))
  return lines
    .filter((line) => /state="(waiting|active)"/.test(line))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
