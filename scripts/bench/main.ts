/**
 * `bun run bench [name…] [--seconds N] [--targets a,b] [--rows N] [--data dir] [--json file]`: the same load against
 * every target in one run, so that ratios hold on any machine; then what the record costs.
 * `bun run bench soak [--minutes N] [--rate R]`: what grows in an hour.
 */
import { parseArgs } from 'node:util'
import { measureJobs } from './jobs.ts'
import { measureMcp } from './mcp/mcp.ts'
import { measureModels } from './models.ts'
import {
  printJobs,
  printMcp,
  printProxies,
  printReads,
  printRecord,
  printRules,
  printStarts,
  printStorage,
} from './print.ts'
import { measureReads } from './reads/reads.ts'
import { measureRecord } from './record.ts'
import { measureRules } from './rules.ts'
import { printMinute, printSoak } from './soak/print.ts'
import { measureSoak } from './soak/soak.ts'
import { measureStarts } from './starts.ts'
import { measureStorage } from './storage.ts'
import { startTarget, startUpstream, type Target } from './targets.ts'
import { type Measured, measure, proxyWorkloads } from './workloads.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '8' },
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '60' },
    targets: { type: 'string', default: 'direct,nginx,bare,portkey,sluice' },
    // Of `reads`: exchanges to fill in, and a directory to fill once and keep.
    rows: { type: 'string', default: '200000' },
    data: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
const proxyNames = proxyWorkloads(seconds).map(({ name }) => name)
const recordNames = ['record', 'reads', 'jobs', 'storage', 'start']
const names = [...proxyNames, 'models', 'rules', 'mcp', ...recordNames]

if (values.help) {
  console.log(
    `bun run bench [name…] [--seconds N] [--targets a,b] [--json file]
bun run bench reads [--rows N] [--data dir]
bun run bench soak [--minutes N] [--rate R] [--json file]

names: ${names.join(' ')}

reads: what reading takes over N exchanges (200000), in a new database, or in dir, which is filled once and kept.
soak: R mixed calls a second (60) for N minutes (60), a line of memory, descriptors, lag and backlogs a minute, and in
the end what grows. Not part of a run without names. Exit code 1 where something grows.`,
  )
} else if (positionals.includes('soak')) {
  await soak()
} else {
  await main(positionals.length > 0 ? positionals : names)
}

async function main(chosen: string[]): Promise<void> {
  const unknown = chosen.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    console.error(`bench ${unknown}: no such measurement; there are ${names.join(', ')}`)
    process.exit(2)
  }
  const proxies = await measureProxies(chosen.filter((name) => proxyNames.includes(name)))
  printProxies(proxies)
  const models = chosen.includes('models') ? await measureModels(seconds) : []
  printProxies(models)
  const rules = chosen.includes('rules') ? await measureRules(seconds) : []
  printRules(rules)
  const mcp = chosen.includes('mcp') ? await measureMcp(seconds) : null
  if (mcp !== null) printMcp(mcp)
  const record = chosen.includes('record') ? await measureRecord(seconds) : null
  if (record !== null) printRecord(record)
  const reads = chosen.includes('reads')
    ? await measureReads({ rows: Number(values.rows), data: values.data })
    : null
  if (reads !== null) printReads(reads)
  const jobs = chosen.includes('jobs') ? await measureJobs(seconds) : []
  printJobs(jobs)
  const storage = chosen.includes('storage') ? await measureStorage(200) : null
  if (storage !== null) printStorage(storage)
  const starts = chosen.includes('start') ? await measureStarts() : null
  if (starts !== null) printStarts(starts)
  if (values.json !== undefined) {
    const all = { proxies, models, rules, mcp, record, reads, jobs, storage, starts }
    await Bun.write(values.json, JSON.stringify(all, null, 2))
  }
  console.log(`to repeat: bun run bench ${chosen.join(' ')} --seconds ${seconds}`)
}

async function soak(): Promise<void> {
  const [minutes, rate] = [Number(values.minutes), Number(values.rate)]
  if (positionals.length > 1 || !(minutes > 0) || !(rate > 0)) {
    console.error('bench soak: runs alone, for --minutes N at --rate R')
    process.exit(2)
  }
  let number = 0
  const figures = await measureSoak({ minutes, rate }, (minute) => printMinute(++number, minute))
  printSoak(figures)
  if (values.json !== undefined) await Bun.write(values.json, JSON.stringify(figures, null, 2))
  console.log(`to repeat: bun run bench soak --minutes ${minutes} --rate ${rate}`)
  if (figures.trends.some(({ grows }) => grows)) process.exitCode = 1
}

async function measureProxies(chosen: string[]): Promise<Measured[]> {
  if (chosen.length === 0) return []
  const upstream = await startUpstream()
  const targets: Target[] = []
  const results: Measured[] = []
  try {
    for (const name of (values.targets ?? '').split(',')) {
      const target = name === 'direct' ? upstream : await startOrSay(name, upstream)
      if (target !== null) targets.push(target)
    }
    for (const workload of proxyWorkloads(seconds).filter(({ name }) => chosen.includes(name))) {
      for (const target of targets) {
        console.error(`${workload.name} · ${target.name}`)
        results.push(await measure(workload, target))
      }
    }
  } finally {
    for (const target of targets.reverse()) await target.stop()
  }
  return results
}

async function startOrSay(name: string, upstream: Target): Promise<Target | null> {
  try {
    return await startTarget(name, upstream)
  } catch (error) {
    console.error(`left out: ${name}: ${error instanceof Error ? error.message : error}`)
    return null
  }
}
