/** A gateway in mid-call, to be killed: sends two events of exchange `id`, and says when they are on disk. */
import { join } from 'node:path'
import { openSpool } from '#capture'
import { openRecorder } from '../../../src/mcp/record/open-recorder.ts'
import { quiet } from '../../capture/store-support.ts'
import { until } from '../../support/until.ts'
import { hopOf } from './support.ts'

const [folder = '', id = ''] = process.argv.slice(2)
const spool = await openSpool({
  ...{ dir: join(folder, 'spool'), maxBytes: 1024 ** 3, whenFull: 'block', log: quiet },
  producer: { enqueue: () => new Promise(() => {}) },
  commits: { committed: async () => new Map(), report: async () => {} },
})
const hop = openRecorder({ spool }).begin(hopOf({ id }))
hop.request(JSON.stringify({ jsonrpc: '2.0', id: 'call-1', method: 'tools/call', params: { name: 'x' } }))
for (const n of [1, 2])
  hop.response(`id: ${id}_${n}\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n`)
await until('it is on disk', async () => (await spool.find(id)) !== null)
console.log('on disk')
setInterval(() => {}, 1_000)
