import type { Hop, HopOpen, Recorder } from '../record/recorder.ts'
import type { RawJson } from '../wire/message.ts'
import { stringOf } from '../wire/raw-json.ts'
import type { UpstreamCall, UpstreamSpec } from './upstream.ts'

/** Opens the hops of one server: one for each call, one for each handshake, one for what comes unasked. */
export type Hops = {
  call(call: UpstreamCall): Hop
  own(rpc: string | null): Hop
}

const transports = { stdio: 'stdio', http: 'http', sse: 'sse', ws: 'websocket' } as const

export function hopsOf(recorder: Recorder, spec: UpstreamSpec): Hops {
  const common: HopOpen = {
    hop: 'upstream',
    parent: null,
    transport: transports[spec.transport],
    method: spec.transport === 'stdio' ? 'stdio' : 'POST',
    path: pathOf(spec),
    headers: Object.entries(spec.headers).map(([name, value]) => [name.toLowerCase(), value] as const),
    tenant: spec.tenant ?? 'default',
    keyId: null,
    mode: 'full',
    tags: [],
    peer: spec.name,
    rpc: null,
    name: null,
    session: null,
    toolUse: null,
  }
  const begin = (open: HopOpen) => whileOpen(recorder.begin(open))
  return {
    call: (call) =>
      begin({
        ...common,
        parent: call.parent,
        rpc: call.method,
        name: nameOf(call.method, call.params),
        tenant: call.tenant ?? common.tenant,
        keyId: call.keyId ?? null,
        mode: call.mode ?? 'full',
        toolUse: call.toolUse ?? null,
      }),
    own: (rpc) => begin({ ...common, rpc }),
  }
}

/** Frames may come later than the end that was made of waiting for them. */
function whileOpen(hop: Hop): Hop {
  let open = true
  return {
    id: hop.id,
    request(bytes) {
      if (open) hop.request(bytes)
    },
    response(bytes) {
      if (open) hop.response(bytes)
    },
    end(end) {
      if (!open) return
      open = false
      return hop.end(end)
    },
  }
}

/** The tool, prompt or resource that a request is about; null where it is about none. */
export function nameOf(method: string, params: RawJson): string | null {
  if (method === 'tools/call' || method === 'prompts/get') return stringOf(params, 'name')
  return method.startsWith('resources/') ? stringOf(params, 'uri') : null
}

function pathOf({ url, name }: UpstreamSpec): string {
  return url === null ? `/servers/${name}` : (URL.parse(url)?.pathname ?? '/')
}
