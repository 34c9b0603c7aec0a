import type { AnyElysia } from 'elysia'
import { type Scope, scopes } from '#access'
import type { RouteDoc } from '#lib/route-doc'
import { type Rule, rules } from './rules.ts'

/** One route of a gateway, as something to try. */
export type Case = {
  name: string
  method: string
  path: string
  rule: Rule
  body: string
  /** What it says that it answers; empty where it does not. */
  answer: string
}

/** @throws Error where a route has no rule */
export function casesOf(app: AnyElysia): Case[] {
  return app.routes
    .filter(({ method }) => method !== 'WS' && method !== 'OPTIONS')
    .map((route) => {
      const name = `${route.method} ${route.path}`
      const rule = rules[name] ?? (route.method === 'HEAD' ? rules[`GET ${route.path}`] : undefined)
      if (rule === undefined)
        throw new Error(`${name}: no rule in test/processes/rules.ts says who may use it`)
      const path = route.path.replace(/:\w+/g, '0197e5a0-1c2d-7000-8000-000000000000').replace('*', 'x')
      const doc: RouteDoc | undefined = route.hooks?.detail?.doc
      const answer = typeof doc?.answer === 'string' ? doc.answer : ''
      // Not JSON: behind the guard it is refused, and nothing is made.
      return { name, method: route.method === 'ALL' ? 'POST' : route.method, path, rule, body: '{', answer }
    })
}

/** Cases of our own routes that ask for a scope. */
export function guarded(app: AnyElysia): (Case & { rule: Scope })[] {
  return casesOf(app).flatMap((one) => (isScope(one.rule) ? [{ ...one, rule: one.rule }] : []))
}

function isScope(rule: Rule): rule is Scope {
  return (scopes as readonly string[]).includes(rule)
}

/** What it answers, with nothing left running. */
export async function statusOf(
  app: AnyElysia,
  one: Case,
  options: { headers: Record<string, string>; method?: string },
): Promise<number> {
  return (await answerOf(app, one, options)).status
}

export async function answerOf(
  app: AnyElysia,
  one: Case,
  { headers, method = one.method }: { headers: Record<string, string>; method?: string },
): Promise<Response> {
  const body = method === 'POST' || method === 'PUT' || method === 'PATCH' ? one.body : null
  const stop = new AbortController()
  const request = new Request(`http://localhost${one.path}`, { method, headers, body, signal: stop.signal })
  const response = await app.handle(request)
  stop.abort()
  if (response.ok) await response.body?.cancel().catch(() => {})
  return response
}
