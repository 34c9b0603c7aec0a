import type { Sql, TransactionSql } from 'postgres'
import { cleanText, errorText } from '#lib/errors'
import { newId } from '#lib/ids'
import type { Logger } from '#lib/log'
import { sessionCookie } from './cookie.ts'
import type { Principal } from './principal.ts'

/** What people did. A change that cannot be written down is not made. */
export type Audit = {
  /**
   * Does it and writes it down in one transaction: neither is there without the other. What failed is written down
   * where that can be. Throws what the work throws.
   */
  change<Result>(asked: Asked, work: (tx: TransactionSql) => Promise<Result>): Promise<Result>
  /** Writes down, in a transaction that is under way, what that does. */
  within(tx: Sql | TransactionSql, asked: Asked): Promise<void>
  /**
   * For what is not done in Postgres: writes down what is about to be done, does it, and writes down how it went.
   * Throws what the work throws.
   */
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
    async change(asked, work) {
      const transaction = sql.begin(async (tx) => {
        const result = await work(tx)
        await write(tx, asked, 'done')
        return result
      })
      // The driver's type says that it awaits the members of a list; ours are no promises.
      return (await transaction.catch(async (error) => {
        await write(sql, asked, errorText(error, 300)).catch(unwritten(asked.action))
        throw error
      })) as Awaited<ReturnType<typeof work>>
    },
    async within(tx, asked) {
      await write(tx, asked, 'done')
    },
    async run(asked, work) {
      const id = await write(sql, asked, 'started')
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
      await write(sql, { request, principal, ...deed }, 'done')
    },
  }

  async function write(into: Sql | TransactionSql, asked: Asked, outcome: string): Promise<string> {
    const { request, principal, action, subject, detail } = asked
    const id = newId()
    const { headers } = request
    const via = sessionCookie(headers) !== null && headers.get('authorization') === null ? 'page' : 'key'
    const forwarded = headers.get('x-forwarded-for')
    await into`
      insert into audit_log (id, tenant, key_id, via, action, subject, detail, address, forwarded, outcome)
      values (${id}, ${principal.tenant}, ${principal.keyId}, ${via}, ${action},
        ${cleanText(subject).slice(0, 300)}, ${jsonOf(detail)}::text::json, ${addressOf(request)},
        ${forwarded === null ? null : cleanText(forwarded).slice(0, 200)}, ${outcome})`
    return id
  }

  async function end(id: string, outcome: string): Promise<void> {
    await sql`update audit_log set outcome = ${outcome} where id = ${id}`.catch(unwritten(id))
  }

  function unwritten(what: string) {
    return (error: unknown) =>
      log?.warn({ what, reason: errorText(error) }, 'audit: the end of a deed was not written')
  }
}

/** In characters. */
const mostDetail = 4_000

function jsonOf(detail: Deed['detail']): string | null {
  if (detail === undefined) return null
  const text = cleanText(JSON.stringify(detail))
  return text.length <= mostDetail ? text : JSON.stringify({ cut: text.slice(0, mostDetail) })
}
