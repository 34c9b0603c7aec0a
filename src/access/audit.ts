import type { Sql } from 'postgres'
import { cleanText, errorText } from '#lib/errors'
import { newId } from '#lib/ids'
import type { Logger } from '#lib/log'
import { sessionCookie } from './cookie.ts'
import type { Principal } from './principal.ts'

/** What people did. A change that cannot be written down is not made. */
export type Audit = {
  /** Writes down what is about to be done, does it, and writes down how it went. Throws what the work throws. */
  run<Result>(asked: Asked, work: () => Promise<Result>): Promise<Result>
  /** Writes down what was done, where doing it and writing it down need not be one. */
  record(request: Request, principal: Principal, deed: Deed): Promise<void>
}

export type Asked = { request: Request; principal: Principal } & Deed

export type Deed = {
  /** What, as in `queue.pause`. */
  action: string
  /** To what, as in `queue:logging`. */
  subject: string
  /** Small, and without anybody's content. */
  detail?: Record<string, unknown>
}

export type AuditOptions = {
  sql: Sql
  log?: Logger
  /** Where a connection comes from; null where not known. */
  addressOf?: (request: Request) => string | null
}

export function openAudit({ sql, log, addressOf = () => null }: AuditOptions): Audit {
  return {
    async run({ request, principal, ...deed }, work) {
      const id = await write(request, principal, { ...deed, outcome: 'started' })
      try {
        const result = await work()
        await end(id, 'done')
        return result
      } catch (error) {
        await end(id, errorText(error, 300))
        throw error
      }
    },
    async record(request, principal, deed) {
      await write(request, principal, { ...deed, outcome: 'done' })
    },
  }

  async function write(
    request: Request,
    principal: Principal,
    deed: Deed & { outcome: string },
  ): Promise<string> {
    const id = newId()
    const { headers } = request
    const via = sessionCookie(headers) !== null && headers.get('authorization') === null ? 'page' : 'key'
    const forwarded = headers.get('x-forwarded-for')
    await sql`
      insert into audit_log (id, tenant, key_id, via, action, subject, detail, address, forwarded, outcome)
      values (${id}, ${principal.tenant}, ${principal.keyId}, ${via}, ${deed.action},
        ${cleanText(deed.subject).slice(0, 300)}, ${jsonOf(deed.detail)}::text::json, ${addressOf(request)},
        ${forwarded === null ? null : cleanText(forwarded).slice(0, 200)}, ${deed.outcome})`
    return id
  }

  async function end(id: string, outcome: string): Promise<void> {
    await sql`update audit_log set outcome = ${outcome} where id = ${id}`.catch((error) => {
      log?.warn({ id, outcome, reason: errorText(error) }, 'audit: the end of a deed was not written')
    })
  }
}

/** In characters. */
const mostDetail = 4_000

function jsonOf(detail: Deed['detail']): string | null {
  if (detail === undefined) return null
  const text = cleanText(JSON.stringify(detail))
  return text.length <= mostDetail ? text : JSON.stringify({ cut: text.slice(0, mostDetail) })
}
