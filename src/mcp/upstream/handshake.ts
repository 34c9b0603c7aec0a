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
  /** For the question that servers of the legacy era need not answer. */
  probeMs: number
}

/**
 * Finds out which era a server speaks, and what it has: asks as the modern era does, and unless the answer is one of
 * that era, shakes hands as the legacy one does.
 * @throws ConnectError
 */
export async function shakeHands(connection: Connection, options: HandshakeOptions): Promise<ServerFacts> {
  if (options.era === 'legacy') return await initialize(connection, options)
  const [newest = ''] = modernVersions
  return (await discover(connection, options, newest)) ?? (await initialize(connection, options))
}

/** Null where it is a server of the legacy era. */
async function discover(
  connection: Connection,
  options: HandshakeOptions,
  version: string,
  again = false,
): Promise<ServerFacts | null> {
  const { hop, probeMs } = options
  connection.speak({ era: 'modern', version })
  const settled = await connection.ask({ method: 'server/discover', params: '{}', hop, timeoutMs: probeMs })
  const { answer, failure } = settled
  if (failure?.kind === 'gone') throw new ConnectError(failure.message, true)
  if (failure !== null && !mayBeLegacy(settled)) throw new ConnectError(failure.message)
  if ('result' in answer) {
    const supported = versions.safeParse(parsed(memberOf(answer.result, 'supportedVersions')))
    if (!supported.success) return null
    const common = modernVersions.find((one) => supported.data.includes(one))
    if (common === undefined) return legacyOr(supported.data)
    connection.speak({ era: 'modern', version: common })
    return modernFacts(answer.result, common)
  }
  const unsupported = unsupportedVersion.safeParse({
    ...answer.error,
    data: parsed(answer.error.data ?? null),
  })
  if (!unsupported.success) return null
  const common = modernVersions.find((one) => unsupported.data.data.supported.includes(one))
  if (common === undefined) return legacyOr(unsupported.data.data.supported)
  if (again) throw new ConnectError(`The server refuses version ${common}, which it says to support`)
  return await discover(connection, options, common, true)
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
