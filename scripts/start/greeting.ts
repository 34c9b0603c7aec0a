import type { Env } from '#lib/env'
import type { Ready } from './service.ts'

/** What a person who has just started Sluice wants to know. */
export function greeting(env: Env, ready: Ready, adminKey: string | null): string {
  const url = urlOf(env, ready)
  const key = env.PASS_THROUGH_KEYS ? '' : ` -H 'sluice-key: ${adminKey ?? '<a Sluice key>'}'`
  const body = '{"model":"mock","max_tokens":64,"messages":[{"role":"user","content":"Hello"}]}'
  const lines = [
    `Sluice is ready at ${url} (API reference: ${url}/docs)`,
    ...(adminKey === null ? [] : ['', `Admin key, shown this once: ${adminKey}`]),
    '',
    'Try it, no provider key needed:',
    `  curl ${url}/p/mock/v1/messages${key} -H 'content-type: application/json' -d '${body}'`,
    '',
  ]
  return lines.join('\n')
}

export function urlOf(env: Env, ready: Ready): string {
  const port = typeof ready.port === 'number' ? ready.port : env.PORT
  return `http://${urlHost(env.HOST)}:${port}`
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
