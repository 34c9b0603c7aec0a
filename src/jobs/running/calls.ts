import type { Sql } from 'postgres'
import { type InternalKeys, openInternalKeys, type Principal, type Scope } from '#access'

/** Calls of jobs to the gateway, each for its tenant, with a key in nobody's hands. */
export type Calls = {
  /** `scopes`: what the job's kind needs beside `call`, and no more. */
  of(job: Caller, scopes: readonly Scope[]): (path: string, init?: RequestInit) => Promise<Response>
  /** Revokes the keys. */
  close(): Promise<void>
}

/** Whose budgets and limits count: those of the key that submitted the job. */
type Caller = { id: string; tenant: string; key_id: string | null; capture: Principal['capture'] }

/** How long a gateway may take to learn of a new key: longer than usual after its database was away. */
const learningMs = 15_000
const againMs = 100

export function openCalls(sql: Sql, gatewayUrl: string): Calls {
  const keys = new Map<string, InternalKeys>()

  return {
    of(job, needs) {
      const held = keysFor(job.capture, ['call', ...needs])
      return (path, init = {}) => call(held, job, { path, init })
    },
    async close() {
      for (const held of keys.values()) await held.close()
    },
  }

  function keysFor(capture: Principal['capture'], scopes: readonly Scope[]): InternalKeys {
    const name = [capture, ...scopes].join(' ')
    const known = keys.get(name)
    if (known !== undefined) return known
    const made = openInternalKeys(sql, 'jobs', { capture, scopes, tags: [], actForOthers: true })
    keys.set(name, made)
    return made
  }

  async function call(
    of: InternalKeys,
    { id, tenant, key_id: submitter }: Caller,
    { path, init }: { path: string; init: RequestInit },
  ): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${await of.of(tenant)}`)
    headers.set('sluice-tags', `job:${id}`)
    if (submitter !== null) headers.set('sluice-acts-for', submitter)
    const until = performance.now() + learningMs
    for (;;) {
      const answer = await fetch(`${gatewayUrl}${path}`, { ...init, headers, redirect: 'manual' })
      if (answer.status !== 401 || !(await isOfOurKey(answer))) return answer
      await answer.body?.cancel()
      init.signal?.throwIfAborted()
      if (performance.now() > until) throw new Error('the gateway does not know the key of jobs yet')
      await Bun.sleep(againMs)
    }
  }
}

/** Does the gateway refuse our key, or the provider the gateway's? */
async function isOfOurKey(answer: Response): Promise<boolean> {
  return (await answer.clone().text()).includes('Sluice key')
}
