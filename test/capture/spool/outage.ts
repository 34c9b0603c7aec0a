/** Records some hundred MiB while the queue is down, and prints what memory the process took before and after. */
import { endOf, openOf } from '../support.ts'
import { bytes, spoolIn, storeIn } from './opening.ts'

const [dir = ''] = process.argv.slice(2)
const store = storeIn(dir)
store.queueDown = true
const spool = await spoolIn(dir, store, { maxBytes: 4 * 1024 ** 3 })
const chunk = bytes(64 * 1024)
let recorded = 0

await load(200)
Bun.gc(true)
const before = process.memoryUsage.rss()
await load(1_000)
Bun.gc(true)
const after = process.memoryUsage.rss()
console.log(JSON.stringify({ before, after, recorded }))
await spool.close(0)

/** In each round: a chunk for each of eight long exchanges, and one short exchange; the long ones start anew at times. */
async function load(rounds: number): Promise<void> {
  const long = Array.from({ length: 8 }, () => spool.begin(openOf()))
  for (let round = 0; round < rounds; round++) {
    for (const recording of long) recording.response(new Uint8Array(chunk))
    const short = spool.begin(openOf())
    short.request(new Uint8Array(chunk))
    short.seal(endOf())
    recorded += chunk.length * 9
    if (round % 10 === 0) await Bun.sleep(1) // for the spool's own timers and writes
  }
  for (const recording of long) recording.seal(endOf())
}
