import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '#store'
import { residentMiB } from './process-cost.ts'
import { startSluice } from './sluice.ts'

export type StartFigures = { firstMs: number; againMs: number; gatewayMs: number; idleRssMiB: number }

/** How long until the first request is answered: on a new data directory, on a used one, and the gateway alone. */
export async function measureStarts(): Promise<StartFigures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-start-'))
  try {
    const first = await timedStart(dataDir)
    const again = await timedStart(dataDir)
    const database = await startEmbedded({ dir: dataDir })
    try {
      const gateway = await startGatewayAlone(database.url, dataDir)
      return { firstMs: first.ms, againMs: again.ms, idleRssMiB: again.idleRssMiB, gatewayMs: gateway }
    } finally {
      await database.stop()
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function timedStart(dataDir: string): Promise<{ ms: number; idleRssMiB: number }> {
  const began = performance.now()
  const sluice = await startSluice('http://127.0.0.1:9', { DATA_DIR: dataDir })
  const ms = performance.now() - began
  await Bun.sleep(2_000)
  const idleRssMiB = residentMiB(sluice.gatewayPid)
  await sluice.stop()
  return { ms, idleRssMiB }
}

async function startGatewayAlone(databaseUrl: string, dataDir: string): Promise<number> {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  const began = performance.now()
  const child = Bun.spawn(['bun', join(import.meta.dir, '../../src/processes/gateway.ts')], {
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      DATA_DIR: dataDir,
      PORT: String(port),
      LOG_LEVEL: 'error',
    },
    stdout: 'ignore',
    stderr: 'inherit',
  })
  try {
    for (const deadline = began + 20_000; performance.now() < deadline; await Bun.sleep(5)) {
      const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null)
      if (answer?.ok === true) return performance.now() - began
    }
    throw new Error('gateway: no answer after 20 s')
  } finally {
    child.kill('SIGTERM')
    await child.exited
  }
}
