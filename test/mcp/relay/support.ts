import { eachLine } from '#lib/lines'
import { repository } from '../../support/process.ts'
import { until } from '../../support/until.ts'

// biome-ignore lint/suspicious/noExplicitAny: frames of many shapes, looked into by tests
export type Frame = any

/** A relay as a client has it: a process of its own, spoken with over stdin and stdout. */
export type TestRelay = {
  pid: number
  /** All frames that it wrote, in their order. */
  frames: Frame[]
  errors: string[]
  send(frame: object | string): void
  /** Sends a request, and resolves with the frame that answers it. */
  ask(method: string, params?: object, timeoutMs?: number): Promise<Frame>
  /** The first frame, past or to come, for which this holds. */
  frame(what: string, is: (frame: Frame) => boolean, timeoutMs?: number): Promise<Frame>
  /** Closes its stdin, and resolves with its exit code. */
  leave(): Promise<number>
  kill(signal: NodeJS.Signals): Promise<number>
}

export type RelayOptions = {
  key?: string
  patience?: number
  /** Another program that does the same. */
  command?: string[]
  env?: Record<string, string>
}

export const running = new Set<TestRelay>()

export function startRelay(url: string, options: RelayOptions = {}): TestRelay {
  const { key = 'sk-sluice-a', patience = 10, env = {} } = options
  const own = ['bun', 'src/processes/relay.ts', '--patience', String(patience)]
  const child = Bun.spawn(options.command ?? own, {
    cwd: repository,
    env: { PATH: process.env.PATH ?? '', SLUICE_URL: url, SLUICE_KEY: key, ...env },
    ...{ stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' },
  })
  const frames: Frame[] = []
  const errors: string[] = []
  void eachLine(child.stdout, (line) => void frames.push(JSON.parse(line)))
  void eachLine(child.stderr, (line) => void errors.push(line))
  let ids = 0

  const frame: TestRelay['frame'] = async (what, is, timeoutMs = 10_000) => {
    await until(`${what}, of ${JSON.stringify(frames)} ${errors.join(' ')}`, () => frames.some(is), timeoutMs)
    return frames.find(is)
  }
  const relay: TestRelay = {
    ...{ pid: child.pid, frames, errors, frame },
    send(message) {
      child.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`)
      child.stdin.flush()
    },
    async ask(method, params = {}, timeoutMs) {
      ids += 1
      const id = `ask-${ids}`
      relay.send({ jsonrpc: '2.0', id, method, params })
      return await frame(
        `an answer to ${method}`,
        (one) => one.id === id && one.method === undefined,
        timeoutMs,
      )
    },
    async leave() {
      child.stdin.end()
      return await gone()
    },
    async kill(signal) {
      child.kill(signal)
      return await gone()
    },
  }
  running.add(relay)
  return relay

  async function gone(): Promise<number> {
    const code = await child.exited
    running.delete(relay)
    return code
  }
}

/** For `afterEach`. */
export async function endRelays(): Promise<void> {
  for (const relay of running) await relay.kill('SIGKILL')
}

export async function initialize(relay: TestRelay, capabilities: object = {}): Promise<Frame> {
  const clientInfo = { name: 'test', version: '1' }
  const answer = await relay.ask('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo })
  relay.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return answer
}

export const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** `tools/call` of either era. */
export function callOf(name: string, args: object = {}, modern = false): object {
  return { name, arguments: args, ...(modern ? { _meta: modernMeta } : {}) }
}
