import { join } from 'node:path'
import { openLog } from '#lib/log'
import type { HopEnd, HopOpen, Recorder } from '../../../src/mcp/record/recorder.ts'
import { openUpstreams, type UpstreamsOptions } from '../../../src/mcp/upstream/open-upstreams.ts'
import type {
  Upstream,
  UpstreamCall,
  UpstreamEvent,
  UpstreamSpec,
  Upstreams,
} from '../../../src/mcp/upstream/upstream.ts'
import type { Answer } from '../../../src/mcp/wire/message.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { repository } from '../../support/process.ts'
import type { Behaviour } from '../fixtures/raw-server.ts'

export type RecordedHop = HopOpen & { sent: string; received: string; ended: HopEnd | null }

/** A recorder that keeps hops in memory. */
export function memoryRecorder(): Recorder & { hops: RecordedHop[] } {
  const hops: RecordedHop[] = []
  return {
    hops,
    begin(open) {
      const hop: RecordedHop = { ...open, sent: '', received: '', ended: null }
      hops.push(hop)
      return {
        id: String(hops.length),
        request: (bytes) => {
          hop.sent += String(bytes)
        },
        response: (bytes) => {
          hop.received += String(bytes)
        },
        end(end) {
          hop.ended = end
        },
      }
    },
  }
}

export type TestUpstreams = Upstreams & { recorder: ReturnType<typeof memoryRecorder>; folder: string }

export function testUpstreams(options: Partial<UpstreamsOptions> = {}): TestUpstreams {
  const recorder = memoryRecorder()
  const folder = temporaryFolder()
  const upstreams = openUpstreams({
    ...{ recorder, folder, log: openLog('test', 'silent'), allowPrivate: true },
    inherited: { PATH: process.env.PATH ?? '' },
    clientInfo: '{"name":"sluice","version":"0"}',
    ...options,
    limits: { waits: { baseMs: 20, mostMs: 100 }, healthMs: null, probeMs: 2_000, ...options.limits },
  })
  return { ...upstreams, recorder, folder }
}

let specs = 0

export function specOf(spec: Partial<UpstreamSpec>): UpstreamSpec {
  specs += 1
  return {
    ...{
      id: `s${specs}`,
      tenant: null,
      name: `server-${specs}`,
      transport: 'stdio',
      command: null,
      args: [],
    },
    ...{ env: {}, cwd: null, url: null, headers: {}, idle_stop_ms: null, fingerprint: String(specs) },
    ...spec,
  }
}

export function stdioSpec(behaviour: Behaviour & { child?: boolean } = {}): UpstreamSpec {
  const file = join(repository, 'test/mcp/fixtures/raw-stdio.ts')
  return specOf({ command: process.execPath, args: [file, JSON.stringify(behaviour)], cwd: repository })
}

export type TestCall = Partial<UpstreamCall> & { notes?: [string, unknown][] }

export function callTool(
  upstream: Upstream,
  name: string,
  args: unknown = {},
  more: TestCall = {},
): Promise<Answer> {
  const { notes = [], ...rest } = more
  return upstream.request({
    ...{ method: 'tools/call', params: JSON.stringify({ name, arguments: args }) },
    ...{ signal: new AbortController().signal, timeoutMs: 10_000, maxBytes: 4 * 1024 * 1024, parent: 'p' },
    onNotification: (method, params) => notes.push([method, JSON.parse(params)]),
    ...rest,
  })
}

export function resultOf(answer: Answer): Record<string, unknown> {
  if ('error' in answer) throw new Error(`${answer.error.code}: ${answer.error.message}`)
  return JSON.parse(answer.result)
}

export function errorOf(answer: Answer): { code: number; message: string } {
  if ('result' in answer) throw new Error(`It was answered: ${answer.result}`)
  return answer.error
}

export function heard(upstream: Upstream): UpstreamEvent[] {
  const events: UpstreamEvent[] = []
  upstream.on((event) => events.push(event))
  return events
}
