import { z } from 'zod'
import type { Hop } from '../record/recorder.ts'
import type { Era, RawJson } from '../wire/message.ts'
import { memberOf } from '../wire/raw-json.ts'
import type { Settled } from './calls.ts'
import type { Connection } from './connection.ts'
import { ConnectError } from './failure.ts'
import type { ServerFacts } from './upstream.ts'
import { legacyVersions, modernVersions } from './versions.ts'

export type HandshakeOptions = {
  /** Where it goes in the record; ended by the caller. */
  hop: Hop
  /** What is known of the server from before; null: it is asked. */
  era: Era | null
  clientInfo: RawJson
  /** Told to a server of the legacy era, where it is said once for all clients. */
  capabilities: RawJson
  timeoutMs: number
  /** Silence for so long, at the question that servers of the legacy era need not answer, and both are tried. */
  probeMs: number
}

/**
 * Finds out which era a server speaks, and what it has: asks as the modern era does, and unless the answer is one of
 * that era, shakes hands as the legacy one does. Servers of the old era may be silent at that question, and others
 * slow: after a while both are tried, and the first good answer counts.
 * @throws ConnectError
 */
export async function shakeHands(connection: Connection, options: HandshakeOptions): Promise<ServerFacts> {
  if (options.era === 'legacy') return await initialize(connection, options)
  const [version = ''] = modernVersions
  connection.speak({ era: 'modern', version })
  const probe = discover(connection, options)
  const early = await soonOr('silent' as const, probe, options.probeMs)
  const facts = early === 'silent' ? await firstGood(probe, initialize(connection, options)) : early
  if (facts === null) return await initialize(connection, options)
  connection.speak({ era: facts.era, version: facts.protocolVersion })
  return facts
}

async function firstGood(
  probe: Promise<ServerFacts | null>,
  old: Promise<ServerFacts>,
): Promise<ServerFacts> {
  const modern = probe.then((facts) => facts ?? Promise.reject(new Error('It is of the legacy era')))
  try {
    return await Promise.any([modern, old])
  } catch {
    return await old
  }
}

/** Null where it is a server of the legacy era. */
async function discover(
  connection: Connection,
  options: HandshakeOptions,
  again = false,
): Promise<ServerFacts | null> {
  const { hop, timeoutMs } = options
  const settled = await connection.ask({ method: 'server/discover', params: '{}', hop, timeoutMs })
  const { answer, failure } = settled
  if (failure?.kind === 'gone') throw new ConnectError(failure.message, true)
  if (failure !== null && !mayBeLegacy(settled)) throw new ConnectError(failure.message)
  if ('result' in answer) {
    const supported = versions.safeParse(parsed(memberOf(answer.result, 'supportedVersions')))
    if (!supported.success) return null
    const common = modernVersions.find((one) => supported.data.includes(one))
    return common === undefined ? legacyOr(supported.data) : modernFacts(answer.result, common)
  }
  const unsupported = unsupportedVersion.safeParse({
    ...answer.error,
    data: parsed(answer.error.data ?? null),
  })
  if (!unsupported.success) return null
  const common = modernVersions.find((one) => unsupported.data.data.supported.includes(one))
  if (common === undefined) return legacyOr(unsupported.data.data.supported)
  if (again) throw new ConnectError(`The server refuses version ${common}, which it says to support`)
  return await discover(connection, options, true)
}

async function initialize(connection: Connection, options: HandshakeOptions): Promise<ServerFacts> {
  const { hop, clientInfo, capabilities, timeoutMs } = options
  const [newest = ''] = legacyVersions
  connection.speak({ era: 'legacy', version: null })
  const params = `{"protocolVersion":"${newest}","capabilities":${capabilities},"clientInfo":${clientInfo}}`
  const { answer, failure } = await connection.ask({ method: 'initialize', params, hop, timeoutMs })
  if (failure !== null) throw new ConnectError(failure.message)
  if ('error' in answer) throw new ConnectError(`initialize was refused: ${answer.error.message}`)
  const version = z.string().safeParse(parsed(memberOf(answer.result, 'protocolVersion'))).data
  if (version === undefined || !legacyVersions.includes(version)) {
    throw new ConnectError(`The server speaks version ${version ?? '?'}, which this gateway does not`)
  }
  connection.speak({ era: 'legacy', version })
  connection.notify('notifications/initialized', '{}', hop)
  return facts('legacy', version, answer.result, memberOf(answer.result, 'serverInfo'))
}

/** A server that knows no other era answers the question with an error, in whatever way, or not at all. */
function mayBeLegacy({ failure }: Settled): boolean {
  if (failure?.kind === 'timeout' || failure?.kind === 'nonsense') return true
  const status = failure?.status ?? 0
  return (
    failure?.kind === 'refused' && status >= 400 && status < 500 && ![401, 403, 407, 429].includes(status)
  )
}

function legacyOr(supported: readonly string[]): null {
  if (supported.some((one) => legacyVersions.includes(one))) return null
  throw new ConnectError(
    `The server speaks ${supported.join(', ') || 'no version'}, which this gateway does not`,
  )
}

function modernFacts(result: RawJson, version: string): ServerFacts {
  const meta = memberOf(result, '_meta') ?? '{}'
  const info = memberOf(meta, 'io.modelcontextprotocol/serverInfo') ?? memberOf(result, 'serverInfo')
  return facts('modern', version, result, info)
}

function facts(era: Era, protocolVersion: string, result: RawJson, serverInfo: RawJson | null): ServerFacts {
  const instructions = z.string().safeParse(parsed(memberOf(result, 'instructions')))
  return {
    ...{ era, protocolVersion, serverInfo: serverInfo ?? '{}' },
    capabilities: memberOf(result, 'capabilities') ?? '{}',
    instructions: instructions.data ?? null,
  }
}

const versions = z.array(z.string())
const unsupportedVersion = z.object({ code: z.literal(-32_022), data: z.object({ supported: versions }) })

function parsed(raw: RawJson | null): unknown {
  return raw === null ? undefined : JSON.parse(raw)
}

async function soonOr<Value, Other>(
  other: Other,
  promise: Promise<Value>,
  ms: number,
): Promise<Value | Other> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<Other>((resolve) => {
    timer = setTimeout(() => resolve(other), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
