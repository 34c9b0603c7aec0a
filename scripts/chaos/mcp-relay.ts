import { join } from 'node:path'
import { eachLine } from '#lib/lines'

/** A relay and its client, of the legacy era: one call at a time. */
export type ChaosRelay = {
  pid: number
  isOver(): boolean
  begin(): Promise<void>
  /** The frame of the answer. @throws Error where the relay dies first, or nothing comes within 40 s */
  call(tool: string, args: object): Promise<string>
  stop(): Promise<void>
}

const program = join(import.meta.dir, '../../src/processes/relay.ts')

export function startChaosRelay(url: string, key: string): ChaosRelay {
  const child = Bun.spawn(['bun', program], {
    env: { PATH: process.env.PATH ?? '', SLUICE_URL: url, SLUICE_KEY: key },
    ...{ stdin: 'pipe', stdout: 'pipe', stderr: 'ignore' },
  })
  const waiting = new Map<number, (frame: string) => void>()
  let ids = 0
  void eachLine(child.stdout, (line) => {
    const { id } = JSON.parse(line) as { id?: number }
    if (id !== undefined) waiting.get(id)?.(line)
  })

  async function ask(method: string, params: object): Promise<string> {
    ids += 1
    const id = ids
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    waiting.set(id, resolve)
    const timer = setTimeout(() => reject(new Error('no answer within 40 s')), 40_000)
    void child.exited.then(() => reject(new Error('the relay has ended')))
    send({ jsonrpc: '2.0', id, method, params })
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      waiting.delete(id)
    }
  }

  function send(frame: object): void {
    child.stdin.write(`${JSON.stringify(frame)}\n`)
    child.stdin.flush()
  }

  return {
    pid: child.pid,
    isOver: () => child.exitCode !== null || child.signalCode !== null,
    async begin() {
      const clientInfo = { name: 'chaos', version: '1' }
      await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo })
      send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    },
    call: (name, args) => ask('tools/call', { name, arguments: args }),
    async stop() {
      child.stdin.end()
      await child.exited
    },
  }
}
