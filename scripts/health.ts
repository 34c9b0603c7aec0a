import { openBroker } from '#broker'
import { readEnv } from '#lib/env'
import { errorText } from '#lib/errors'
import { openLog } from '#lib/log'
import { checkSchema, openStore } from '#store'

// The health check of a container. With a URL: does the gateway answer there? Without: can a worker here do its work?
// A worker that ended is restarted by the container engine; one that is up needs its database and its queue.

const limitMs = 4_000
const url = process.argv[2]

try {
  await Promise.race([
    url === undefined ? checkWorker() : checkGateway(url),
    Bun.sleep(limitMs).then(tooSlow),
  ])
  process.exit(0)
} catch (error) {
  console.error(errorText(error))
  process.exit(1)
}

async function checkGateway(address: string): Promise<void> {
  const response = await fetch(address)
  if (!response.ok) throw new Error(`GET ${address}: ${response.status}`)
}

async function checkWorker(): Promise<void> {
  const { DATABASE_URL, QUEUE_URL } = readEnv()
  if (DATABASE_URL === undefined) throw new Error('DATABASE_URL is not set')
  const { sql } = openStore(DATABASE_URL, { max: 1, name: 'sluice health' })
  await checkSchema(sql)
  await openBroker(QUEUE_URL, DATABASE_URL, { log: openLog('health', 'silent'), name: 'health' }).ping()
}

function tooSlow(): never {
  throw new Error(`no answer within ${limitMs} ms`)
}
