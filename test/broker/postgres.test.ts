import { openGate } from '../support/gate.ts'
import { testDatabase } from '../support/postgres.ts'
import { jobCases } from './jobs.ts'
import { outageCases } from './outages.ts'
import { processCases } from './processes.ts'
import type { EngineServer } from './server.ts'

jobCases('Postgres', open)
outageCases('Postgres', open)
processCases('Postgres', { open, sessions: 8 })

async function open(): Promise<EngineServer> {
  const database = await testDatabase()
  const url = new URL(database.url)
  const gate = openGate(Number(url.port))
  url.hostname = '127.0.0.1'
  url.port = String(gate.port)
  return {
    url: url.href,
    gate,
    async close() {
      gate.close()
      await database.drop()
    },
  }
}
