import { join, normalize } from 'node:path'
import type { AppControllerRoute, HTTPMethod } from '@bull-board/api/dist/types.js'
import { SluiceError } from '#lib/errors'
import type { Parts } from './adapter.ts'

/** Answers one request as bull-board would. `path` is below its base, as in `/api/queues`. */
export async function answer(parts: Parts, request: Request, path: string): Promise<Response> {
  if (path.startsWith('/static/')) return await file(parts, path.slice('/static/'.length))
  const method = request.method.toLowerCase()
  for (const route of parts.routes) {
    const params = matched(route, method, path)
    if (params === null) continue
    const { searchParams } = new URL(request.url)
    const { status = 200, body } = await route.handler({
      ...{ queues: parts.queues, uiConfig: parts.config, params },
      query: Object.fromEntries(searchParams),
      body: method === 'get' ? {} : await bodyOf(request),
      headers: Object.fromEntries(request.headers),
    })
    if (status === 204) return new Response(null, { status })
    return Response.json(body, { status, headers: { 'cache-control': 'no-store' } })
  }
  if (method === 'get' && isPage(parts, path)) return await page(parts)
  throw new SluiceError(404, 'not-found', 'There is nothing like that on the board')
}

export const base = '/queues/board'

async function page({ views, entry, config }: Parts): Promise<Response> {
  const { params } = entry?.handler({ basePath: base, uiConfig: config }) ?? {
    params: {} as Record<string, string>,
  }
  const template = await Bun.file(join(views, 'index.ejs')).text()
  const html = template
    // Nothing from elsewhere: the fonts of the system will do.
    .replace(/<link[^>]*fonts\.googleapis\.com[^>]*>/, '')
    .replace(/<%([=-])\s*(\w+)\s*%>/g, (_, kind: string, name: string) => {
      const value = params[name] ?? ''
      return kind === '=' ? Bun.escapeHTML(value) : value
    })
  return new Response(html, { headers: pageHeaders })
}

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
}

async function file({ files }: Parts, name: string): Promise<Response> {
  const path = normalize(join(files, decoded(name)))
  const found = Bun.file(path)
  if (!path.startsWith(`${files}/`) || !(await found.exists())) {
    throw new SluiceError(404, 'not-found', 'There is no such file')
  }
  return new Response(found, {
    headers: { 'cache-control': 'private, max-age=86400', 'x-content-type-options': 'nosniff' },
  })
}

function isPage({ entry }: Parts, path: string): boolean {
  const routes = [entry?.route ?? []].flat()
  return routes.some((route) => patternOf(route).test(path === '' ? '/' : path))
}

function matched(route: AppControllerRoute, method: string, path: string): Record<string, string> | null {
  if (![route.method].flat().includes(method as HTTPMethod)) return null
  for (const one of [route.route].flat()) {
    const found = patternOf(one).exec(path)
    if (found === null) continue
    const given = Object.entries(found.groups ?? {})
    return Object.fromEntries(given.map(([name, value]) => [name, decoded(value)]))
  }
  return null
}

/** @throws SluiceError 404 where it is no text, or none that an engine can hold */
function decoded(value: string): string {
  try {
    const text = decodeURIComponent(value)
    if (!text.includes('\u0000')) return text
  } catch {}
  throw new SluiceError(404, 'not-found', 'There is nothing like that on the board')
}

function patternOf(route: string): RegExp {
  const parts = route
    .split('/')
    .map((part) => (part.startsWith(':') ? `(?<${part.slice(1)}>[^/]+)` : RegExp.escape(part)))
  return new RegExp(`^${parts.join('/')}$`)
}

async function bodyOf(request: Request): Promise<Record<string, unknown>> {
  const text = await request.text()
  if (text.length > 1024 * 1024)
    throw new SluiceError(413, 'body-too-large', 'The body is larger than 1048576 bytes')
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    throw new SluiceError(400, 'bad-json', 'The body must be JSON')
  }
}
