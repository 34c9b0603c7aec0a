import { z } from 'zod'
import { isCredential } from '#lib/credentials'
import { defineKind, type Kind } from '../kind.ts'
import { failedCall } from './failed-call.ts'

const mostOfAnswer = 1024 * 1024
const proxied = /^\/(v1|v1beta|v1alpha|upload|download|p)\/[^\s]*$/
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/

const headers = z
  .record(
    z.string().regex(headerName, 'must be the name of a header'),
    z
      .string()
      .max(8_192)
      .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be the value of a header'),
  )
  .refine((all) => !Object.keys(all).some((name) => isCredential(name.toLowerCase())), {
    error: 'must hold no credential: the gateway has its own',
  })
  .refine((all) => !Object.keys(all).some((name) => /^(sluice-|host$|content-length$)/i.test(name)), {
    error: 'must not name host, content-length or a header of Sluice',
  })

const input = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST'),
  path: z
    .string()
    .max(4_096)
    .refine(isProxied, 'must be a proxied path of this gateway, as in /v1/messages or /p/mock/v1/messages'),
  headers: headers.default({}),
  body: z.json().optional().meta({ description: 'Sent as JSON; a text is sent as it is' }),
  on_error: z.enum(['fail', 'keep']).default('fail').meta({
    description: 'Is a status of 400 and above a failure (408, 429 and 5xx are tried again), or a result?',
  }),
})

const result = z.object({
  status: z.int(),
  exchange_id: z.string().nullable(),
  headers: z.record(z.string(), z.string()),
  body: z.string().meta({ description: `Of the answer, up to ${mostOfAnswer} bytes; the record has all` }),
  truncated: z.boolean(),
})

/** As it will be sent: a path may not lead out of where it seems to. */
function isProxied(path: string): boolean {
  const url = proxied.test(path) ? URL.parse(path, 'http://gateway') : null
  return url !== null && url.host === 'gateway' && proxied.test(url.pathname)
}

/** A proxied call, made when its turn comes. */
export function httpRequest(): Kind {
  return defineKind({
    name: 'http-request',
    summary: 'A proxied call: made by the gateway, on record as any other',
    ...{ input, result, defaults: { attempts: 3 } },
    async run({ method, path, headers: given, body, on_error }, { call, signal, progress }) {
      const sent = new Headers(given)
      const text = typeof body === 'string' ? body : body === undefined ? null : JSON.stringify(body)
      if (text !== null && !sent.has('content-type')) sent.set('content-type', 'application/json')
      const answer = await call(path, { method, headers: sent, body: method === 'GET' ? null : text, signal })
      progress(0.5, `answered ${answer.status}`)
      if (answer.status >= 400 && on_error === 'fail') throw await failedCall(`${method} ${path}`, answer)
      const { body: read, truncated } = await firstBytes(answer, mostOfAnswer)
      return {
        ...{ status: answer.status, exchange_id: answer.headers.get('sluice-exchange') },
        headers: Object.fromEntries([...answer.headers].filter(([name]) => !isCredential(name))),
        ...{ body: read, truncated },
      }
    },
  })
}

/** The rest is read all the same, so that the record has the whole. */
async function firstBytes(answer: Response, most: number): Promise<{ body: string; truncated: boolean }> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of answer.body ?? []) {
    if (size < most) pieces.push(piece.subarray(0, most - size))
    size += piece.length
  }
  return { body: new TextDecoder().decode(Buffer.concat(pieces)), truncated: size > most }
}
