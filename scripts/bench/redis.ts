import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A Redis of its own for one measurement. Null where there is no redis-server. */
export async function startRedis(): Promise<{ url: string; stop(): Promise<void> } | null> {
  const binary = Bun.which('redis-server')
  if (binary === null) return null
  const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-redis-'))
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'yes',
  ]
  const child = Bun.spawn([binary, ...options], { stdout: 'ignore', stderr: 'ignore' })
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await Bun.sleep(20)) {
    const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } }).catch(() => null)
    if (socket === null) continue
    socket.end()
    return {
      url: `redis://127.0.0.1:${port}`,
      async stop() {
        child.kill('SIGTERM')
        await child.exited
        rmSync(dir, { recursive: true, force: true })
      },
    }
  }
  throw new Error('redis-server: does not listen after 10 s')
}
