import { afterAll } from 'bun:test'
import { removeFolders } from './folder.ts'
import { stopTestServer } from './postgres.ts'
import { endLeakedProcesses } from './process.ts'

afterAll(async () => {
  try {
    await stopTestServer()
  } finally {
    await endLeakedProcesses().finally(removeFolders)
  }
})
