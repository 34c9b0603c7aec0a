import { describe } from 'bun:test'
import { openGate } from '../support/gate.ts'
import { redisMissing, testRedis } from '../support/redis.ts'
import { backlogCases } from './backlogs.ts'
import { inspectionCases } from './inspections.ts'
import { jobCases } from './jobs.ts'
import { outageCases } from './outages.ts'
import { processCases } from './processes.ts'
import type { EngineServer } from './server.ts'

describe.skipIf(redisMissing() !== undefined)('Redis', () => {
  jobCases('Redis', open)
  inspectionCases('Redis', open)
  backlogCases('Redis', open)
  outageCases('Redis', open)
  processCases('Redis', { open, sessions: 6 })
})

async function open(): Promise<EngineServer> {
  const redis = await testRedis()
  const gate = openGate(redis.port)
  return {
    url: `redis://127.0.0.1:${gate.port}`,
    gate,
    async [Symbol.asyncDispose]() {
      gate.close()
      await redis.stop()
    },
  }
}
