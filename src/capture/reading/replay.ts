import { z } from 'zod'
import type { Principal } from '#access'
import { SluiceError } from '#lib/errors'
import { word } from '#lib/fields'
import { findRecorded } from './raw.ts'
import { reach } from './reach.ts'
import type { Reading } from './reading.ts'
import { rebuildRequest } from './recorded-request.ts'

export const replayBody = z.strictObject({
  model: word.optional().meta({ description: 'Instead of the recorded one; of the same API' }),
  provider: word.optional().meta({
    description: 'Instead of the recorded one; where it speaks another API, the call is translated',
  }),
})

/**
 * Sends a request through the gateway's own proxy, as a new exchange with `replay_of`. The answer is the upstream's,
 * as it comes, with the new exchange's id in the header `sluice-exchange`.
 * Never rejects: what goes wrong is an answer too, and a record.
 */
export type Replay = (request: Request, options: ReplayOptions) => Promise<Response>

type Speaks = (provider: string, dialect: string) => boolean

export type ReplayOptions = {
  replayOf: string
  /** Whoever asked, in the tenant of what is replayed; the upstream sees the gateway's own provider key. */
  principal: Principal
  provider: string
  dialect: string | null
  /** Was the provider asked for, so that no rule is to change it? */
  named: boolean
  /** Path and query at the provider: that of the request without `/p/{provider}`. */
  path: string
}

/** @throws SluiceError 404; 422 where there is nothing that could be sent again */
export async function replayExchange(
  id: string,
  options: {
    reading: Pick<Reading, 'read'>
    replay: Replay
    speaks?: Speaks
    principal: Principal
    request: Request
  },
  asked: z.infer<typeof replayBody>,
): Promise<Response> {
  const { principal, request } = options
  const tenant = reach(principal, undefined)
  const { open, request: body } = await options.reading.read((sql) => findRecorded(sql, { id, tenant }))
  if (open.dialect === 'mcp') {
    const why = 'it is one of MCP, which only its own client can send again'
    throw new SluiceError(422, 'cannot-replay', `replaying exchange ${id}: ${why}`)
  }
  const provider = asked.provider ?? open.provider
  if (provider === null) {
    throw new SluiceError(422, 'cannot-replay', `replaying exchange ${id}: it went to no provider; name one`)
  }
  if (
    asked.provider !== undefined &&
    open.dialect !== null &&
    options.speaks?.(provider, open.dialect) === false
  ) {
    throw new SluiceError(
      422,
      'other-dialect',
      `replaying exchange ${id}: ${provider} does not speak ${open.dialect}`,
    )
  }
  const atProvider = open.path.replace(/^\/p\/[^/?]+/, '')
  const rebuilt = await rebuildRequest(
    {
      id,
      protocol: open.protocol,
      method: open.method,
      path:
        atProvider === open.path && asked.provider === undefined
          ? open.path
          : `/p/${encodeURIComponent(provider)}${atProvider}`,
      headers: open.request_headers,
      body,
    },
    {
      model: asked.model,
      acceptEncoding: request.headers.get('accept-encoding'),
      signal: request.signal,
    },
  )
  const tags = request.headers.get('sluice-tags')
  if (tags !== null) rebuilt.headers.set('sluice-tags', tags)
  const url = new URL(rebuilt.url)
  return await options.replay(rebuilt, {
    replayOf: id,
    principal: { ...principal, tenant: open.tenant },
    provider,
    dialect: open.dialect,
    named: asked.provider !== undefined || atProvider !== open.path,
    path: `${url.pathname}${url.search}`.replace(/^\/p\/[^/?]+/, ''),
  })
}
