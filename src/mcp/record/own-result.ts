import { requestFrame, responseFrame } from '../wire/frame.ts'
import type { RawJson } from '../wire/message.ts'
import type { Recorder } from './recorder.ts'

/** What led to a result of a tool of our own. */
export type OwnResult = {
  /** The client's exchange that asked for it. */
  parent: string
  mode: 'full' | 'metadata'
  toolUse: string | null
  /** Of `tools/call`, as the tool knows them. */
  params: RawJson
}

/**
 * Own tools need no connection, and so no hop; the client's has the beginning of the result only. This records the
 * whole, as if a server had answered: durable when it resolves. In `metadata` mode it keeps no content.
 * @returns the exchange's id
 * @throws SpoolFullError where the disk is full and the operator chose `block`
 */
export async function ownExchange(
  recorder: Recorder,
  { parent, mode, toolUse, params }: OwnResult,
  of: { tenant: string; keyId: string | null; server: string; name: string; result: RawJson },
): Promise<string> {
  const { tenant, keyId, server, name, result } = of
  const hop = recorder.begin({
    ...{ hop: 'upstream', parent, transport: 'http', method: 'own', path: `/servers/${server}`, headers: [] },
    ...{ tenant, keyId, mode, tags: [], peer: server, rpc: 'tools/call', name, session: null, toolUse },
  })
  hop.request(requestFrame(1, 'tools/call', params))
  hop.response(responseFrame(1, { result }))
  await hop.end({ outcome: 'completed', status: null, error: null })
  return hop.id
}
