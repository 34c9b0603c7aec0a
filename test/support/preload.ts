import { afterAll } from 'bun:test'
import { stopTestServer } from './postgres.ts'
import { endLeakedProcesses } from './process.ts'

afterAll(async () => {
  try {
    await stopTestServer()
  } finally {
    await endLeakedProcesses()
  }
})
