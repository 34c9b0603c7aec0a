import { parseArgs } from 'node:util'
import { interpretBy, type RebuildProgress, rebuild } from '#capture'
import { readEnv } from '#lib/env'
import { idTime } from '#lib/ids'
import { openLog } from '#lib/log'
import { interpret, resumSpend } from '#llm'
import { interpretMcp } from '#mcp'
import { checkSchema, openStore } from '#store'
import { argumentsOf, progressLine, readTime, recordUrl, run } from './record/command.ts'

const usage = `Usage: bun run rebuild [--since <time>] [--until <time>] [--prices]

Derives models, usage, threads, turns and search again from the stored bytes, while everything runs, and the sums of
reports from them. Costs stay as they were billed unless --prices is given; what budgets count as spent stays what was
charged at the time of the call. Stopped by Ctrl-C, the same command goes on from there.`

await run(main)

async function main(stop: AbortSignal): Promise<boolean> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = { since: text, until: text, prices: flag, help: flag }
  const values = argumentsOf(usage, () => parseArgs({ options }))
  if (values.help === true) {
    console.log(usage)
    return true
  }
  const range = { since: readTime('--since', values.since), until: readTime('--until', values.until) }
  const env = readEnv()
  const store = openStore(await recordUrl(env), { max: 4, name: 'rebuild' })
  try {
    await checkSchema(store.sql)
    const result = await rebuild({
      ...{ sql: store.sql, log: openLog('rebuild', env.LOG_LEVEL), ...range },
      interpret: interpretBy({ mcp: interpretMcp }, interpret),
      ...{ prices: values.prices === true, onProgress: progressLine(progressOf), signal: stop },
    })
    if (result === null) {
      console.error('Stopped: the same command goes on from here')
      return false
    }
    const days = await resumSpend(store.sql, range)
    console.error(
      `Rebuilt ${result.done} exchanges, ${result.failed} left as they were; ${days} days summed up anew`,
    )
    return true
  } finally {
    await store.close()
  }
}

function progressOf({ phase, done, failed, position }: RebuildProgress): string {
  const reached = idTime(position)
  const at = phase === 'exchanges' && reached > 0 ? `, at ${new Date(reached).toISOString()}` : ''
  return `${phase}: ${done} exchanges derived, ${failed} failed${at}`
}
