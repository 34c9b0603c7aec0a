import { Elysia } from 'elysia'
import { SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { routeDoc } from '#lib/route-doc'
import { tag } from '../board-deps.ts'
import { type Asset, type Bundle, buildBundle } from './bundle.ts'

/**
 * The pages: one document for every address, which holds nothing of anybody's; what it shows it asks the API for, with
 * the session's cookie.
 */
export function siteRoutes({ log }: { log: Logger }) {
  let building: Promise<Bundle> | null = null
  const bundle = () => {
    building ??= buildBundle().catch((error: unknown) => {
      building = null
      log.error({ error }, 'the dashboard does not build')
      throw error
    })
    return building
  }

  return new Elysia()
    .get(
      '/queues',
      async () => document(await bundle()),
      routeDoc({ summary: 'The queue dashboard', scope: 'open', tag, answer: 'text/html' }),
    )
    .get(
      '/queues/*',
      async ({ request, params }) => {
        const rest = params['*']
        if (!rest.startsWith('assets/')) return document(await bundle())
        const asset = (await bundle()).assets.get(rest.slice('assets/'.length))
        if (asset === undefined) throw new SluiceError(404, 'not-found', 'There is no such file')
        return assetAnswer(asset, request.headers.get('accept-encoding') ?? '')
      },
      routeDoc({ summary: 'A page of the queue dashboard', scope: 'open', tag, answer: 'text/html' }),
    )
}

function document({ html }: Bundle): Response {
  return new Response(html, { headers: documentHeaders })
}

function assetAnswer(asset: Asset, accepts: string): Response {
  const encoding = /\bzstd\b/.test(accepts) ? 'zstd' : /\bgzip\b/.test(accepts) ? 'gzip' : null
  const headers = {
    'content-type': asset.type,
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
    vary: 'accept-encoding',
  }
  if (encoding === null) return new Response(new Uint8Array(asset.plain), { headers })
  return new Response(new Uint8Array(asset[encoding]), {
    headers: { ...headers, 'content-encoding': encoding },
  })
}

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const documentHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-cache',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
}
