import { z } from 'zod'
import { openBroker } from '#broker'
import { defineKind, openRegistry } from '#jobs'
import { jobs } from '#queues/jobs'
import { webhooks } from '#queues/webhooks'
import { openStore } from '#store'
import { openRunning } from '../../src/jobs/running/open-running.ts'
import { serveApart } from '../../src/jobs/running/serve-apart.ts'
import { quiet } from './support.ts'

/**
 * A worker of its own, to be killed. Arguments: database, queue, name. Its kind `effect` says `begun`, takes as long as
 * it is told, and returns the worker's name; it says `stopped` where its signal is aborted. Told less than nothing it
 * kills its process after that time. A fourth argument: it is the process of one job.
 */
const [databaseUrl = '', queueUrl = '', name = '', place] = process.argv.slice(2)
const gatewayUrl = 'http://127.0.0.1:9'

const effect = defineKind({
  name: 'scripted',
  summary: 'Takes its time',
  input: z.strictObject({ n: z.int() }),
  async run({ n: ms }, { signal, id, attempt }) {
    console.log(`begun ${id} ${attempt} ${place ?? 'together'} ${process.pid}`)
    const aborted = Promise.withResolvers<never>()
    signal.addEventListener('abort', () => {
      console.log(`stopped ${id} ${signal.reason?.name}`)
      aborted.reject(signal.reason)
    })
    // As long as the test says that the job takes.
    await Promise.race([Bun.sleep(Math.abs(ms)), aborted.promise])
    if (ms < 0) process.kill(process.pid, 'SIGKILL')
    console.log(`done ${id} ${attempt}`)
    return name
  },
})

const { sql } = openStore(databaseUrl, { max: 4, name })
const registry = openRegistry([effect])
if (place === 'apart') {
  await serveApart({ sql, registry, gatewayUrl })
  process.exit(0)
}
const broker = openBroker(queueUrl, databaseUrl, { log: quiet, name })
const running = await openRunning({
  ...{
    sql,
    producer: broker.producer(jobs),
    webhooks: broker.producer(webhooks),
    concurrency: 4,
    log: quiet,
    gatewayUrl,
    registry,
  },
  apart: [process.execPath, import.meta.path, databaseUrl, queueUrl, name, 'apart'],
})
broker.consume(jobs, running.handler, { concurrency: 4, onError: (error) => console.error(String(error)) })
process.on('SIGTERM', async () => {
  await running.stopFeeding()
  await broker.close(200)
  await running.close()
  process.exit(0)
})
console.log('ready')
