import { join } from 'node:path'
import type { Logger } from '#lib/log'
import type { Recorder } from '../record/recorder.ts'
import type { RawJson } from '../wire/message.ts'
import { hopsOf } from './hops.ts'
import { addressBook } from './http/address.ts'
import { openEitherLink } from './http/either-link.ts'
import type { OpenLink } from './link.ts'
import { openSseLink } from './sse/sse-link.ts'
import { claimProcesses } from './stdio/leftovers.ts'
import { openReaper } from './stdio/reaper.ts'
import { openStdioLink } from './stdio/stdio-link.ts'
import { type SuperviseOptions, supervise } from './supervisor.ts'
import type { Upstream, UpstreamSpec, Upstreams } from './upstream.ts'
import { openWebSocketLink } from './ws/ws-link.ts'

export type UpstreamsOptions = {
  recorder: Recorder
  log: Logger
  /** Where a note is left that there are processes, for the gateway after this one. */
  folder: string
  /** Of our own environment, what servers on stdio get. Nothing secret. */
  inherited: Readonly<Record<string, string>>
  /** May addresses be of this machine and its network? */
  allowPrivate: boolean
  /** How we name ourselves to servers. */
  clientInfo: RawJson
  /** What servers of the legacy era are told that our clients can. @default sampling, elicitation and roots */
  capabilities?: RawJson
  limits?: Partial<Limits>
}

export type Limits = Pick<
  SuperviseOptions,
  'waits' | 'stableMs' | 'patienceMs' | 'healthMs' | 'pingMs' | 'timeoutMs' | 'probeMs'
>

const defaults: Limits = {
  waits: { baseMs: 500, mostMs: 60_000 },
  stableMs: 10_000,
  patienceMs: 1_000,
  healthMs: 30_000,
  pingMs: 10_000,
  timeoutMs: 60_000,
  probeMs: 5_000,
}

const allCapabilities = '{"sampling":{},"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true}}'

/** The servers of one gateway. Ends, first of all, processes that a gateway before it left behind. */
export function openUpstreams(options: UpstreamsOptions): Upstreams {
  const { recorder, log, inherited, allowPrivate, clientInfo, capabilities = allCapabilities } = options
  const owner = claimProcesses(join(options.folder, 'processes'))
  const reaper = openReaper()
  const open = new Map<string, { spec: UpstreamSpec; upstream: Upstream }>()

  function get(spec: UpstreamSpec): Upstream {
    const known = open.get(spec.id)
    if (known !== undefined && known.spec.fingerprint === spec.fingerprint) return known.upstream
    void known?.upstream.close()
    const upstream: Upstream = { ...start(spec) }
    const { close } = upstream
    upstream.close = async () => {
      if (open.get(spec.id)?.upstream === upstream) open.delete(spec.id)
      await close()
    }
    open.set(spec.id, { spec, upstream })
    return upstream
  }

  function start(spec: UpstreamSpec): Upstream {
    return supervise({
      ...{ ...defaults, ...options.limits, log, clientInfo, capabilities, name: spec.name },
      openLink: linkOf(spec),
      hops: hopsOf(recorder, spec),
      mirrors: spec.transport === 'http',
      onlyEra: spec.transport === 'sse' ? 'legacy' : null,
      idleStopMs: spec.transport === 'stdio' ? spec.idle_stop_ms : null,
    })
  }

  function linkOf(spec: UpstreamSpec): OpenLink {
    const { command, args, env, cwd, headers } = spec
    const remote = { url: spec.url ?? '', headers, locate: addressBook(allowPrivate) }
    switch (spec.transport) {
      case 'stdio':
        return async (events, room) =>
          openStdioLink(
            { command: command ?? '', args, env, cwd, inherited, reaper, mark: owner.mark },
            events,
            room,
          )
      case 'http':
        return async (events, room, signal) => openEitherLink(remote, events, { room, signal })
      case 'sse':
        return (events, room, signal) => openSseLink(remote, events, { room, signal })
      case 'ws':
        return (events, room, signal) => openWebSocketLink(remote, events, { room, signal })
    }
  }

  return {
    get,
    states: () =>
      [...open].map(([id, { spec, upstream }]) => ({ id, name: spec.name, state: upstream.state() })),
    pids: () => [...open.values()].flatMap(({ upstream }) => upstream.state().pid ?? []),
    async close() {
      await Promise.all([...open.values()].map(({ upstream }) => upstream.close()))
      await reaper.close()
      owner.release()
    },
  }
}
