/** A gateway's purse in a process of its own: makes calls as the parent says, one line of input each. */
import { pino } from 'pino'
import { openStore } from '#store'
import { openMoney } from '../../../src/llm/money/open-money.ts'
import { actualOf, callOf, tried } from './support.ts'

const [url = '', folder = ''] = process.argv.slice(2)
const store = openStore(url, { max: 2 })
const log = pino({ level: 'silent' })
const money = await openMoney({ sql: store.sql, log, snapshotFile: `${folder}/money.json`, leaseMs: 2_000 })
console.log(JSON.stringify({ ready: true }))

for await (const line of console) {
  if (line === '') break
  const { calls, cost, settle } = JSON.parse(line) as { calls: number; cost: number; settle: boolean }
  const answers = await Promise.all(
    Array.from({ length: calls }, () => tried(money, callOf(cost, { tenant: 'processes' }))),
  )
  const admitted = answers.filter((answer) => typeof answer !== 'string')
  if (settle) for (const admission of admitted) admission.settle(actualOf(cost))
  console.log(JSON.stringify({ admitted: admitted.length }))
}
await money.close()
await store.close()
