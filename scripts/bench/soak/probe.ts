/**
 * Preloaded into each process of a soak (`BUN_OPTIONS=--preload=…`): what can only be seen from within, in
 * `$SOAK_PROBE/<pid>.json`, every five seconds. SIGUSR2 writes a heap snapshot beside it, for Safari's inspector.
 */

import { heapStats } from 'bun:jsc'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Probe = { heapMiB: number; lagMs: number; objects: Record<string, number> }

const everyMs = 5_000
const lagEveryMs = 100
/** Counting walks the whole heap: some ms. */
const countEvery = 12

const folder = process.env.SOAK_PROBE
if (folder !== undefined) watch(folder)

function watch(folder: string): void {
  let lagMs = 0
  let due = performance.now() + lagEveryMs
  let looks = 0
  let objects: Probe['objects'] = {}
  setInterval(() => {
    const time = performance.now()
    lagMs = Math.max(lagMs, time - due)
    due = time + lagEveryMs
  }, lagEveryMs).unref()
  setInterval(() => {
    const probe: Probe = { heapMiB: process.memoryUsage().heapUsed / 2 ** 20, lagMs, objects }
    lagMs = 0
    if (looks++ % countEvery === 0) {
      objects = heapStats().objectTypeCounts
      due = performance.now() + lagEveryMs
    }
    writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify({ ...probe, objects }))
  }, everyMs).unref()
  process.on('SIGUSR2', () => {
    const snapshot = Bun.generateHeapSnapshot()
    writeFileSync(join(folder, `${process.pid}.heapsnapshot.json`), JSON.stringify(snapshot))
  })
}
