import { parseArgs } from 'node:util'
import { readEnv } from '#lib/env'
import { errorText } from '#lib/errors'
import { idTime } from '#lib/ids'
import { openLog } from '#lib/log'
import { releaser } from '#lib/release'
import { type BackfillProgress, backfill, interpret, openClassification } from '#llm'
import { checkSchema, openStore } from '#store'
import { argumentsOf, progressLine, readTime, recordUrl, run } from './record/command.ts'

const usage = `Usage: bun run classify [--since <time>] [--until <time>] [--rules]

Classifies stored exchanges that are not classified yet, oldest first, while everything runs: by the model that
CLASSIFY_MODEL names (through the gateway, CLASSIFY_PER_MINUTE questions a minute), else or with --rules by rules.
Stopped by Ctrl-C, the same command goes on from there.`

await run(main)

async function main(stop: AbortSignal): Promise<boolean> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const values = argumentsOf(usage, () =>
    parseArgs({ options: { since: text, until: text, rules: flag, help: flag } }),
  )
  if (values.help === true) {
    console.log(usage)
    return true
  }
  const range = { since: readTime('--since', values.since), until: readTime('--until', values.until) }
  const env = readEnv()
  const log = openLog('classify', env.LOG_LEVEL)
  const held = releaser((name, error) => log.error({ reason: errorText(error) }, `releasing ${name}`))
  try {
    const store = openStore(await recordUrl(env), { max: 4, name: 'classify' })
    held.add('store', store.close)
    await checkSchema(store.sql)
    const { classify, close } = openClassification({
      ...{ sql: store.sql, interpret, log, providers: env.providers, gatewayUrl: env.GATEWAY_URL },
      model: values.rules === true ? undefined : env.CLASSIFY_MODEL,
      perMinute: env.CLASSIFY_PER_MINUTE,
    })
    held.add('classification', close)
    const onProgress = progressLine(progressOf)
    const result = await backfill({ ...{ sql: store.sql, classify, onProgress, signal: stop }, ...range })
    if (result === null) console.error('Stopped: the same command goes on from here')
    else console.error(`Classified ${result.classified} exchanges, passed over ${result.passedOver}`)
    return result !== null
  } finally {
    await held.releaseAll()
  }
}

function progressOf({ classified, passedOver, position }: BackfillProgress): string {
  const at = new Date(idTime(position)).toISOString()
  return `${classified} classified, ${passedOver} passed over, at ${at}`
}
