import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Vault } from '#lib/vault'

/** Between gateways: a client's answer or cancellation may come to one that has not the call that it is about. */
export type Mailbox = {
  /** To whichever other gateway has something of that session under way. */
  send(session: string, frame: string): Promise<void>
  close(): Promise<void>
}

export type MailboxOptions = {
  sql: Sql
  log: Logger
  /** What is said is sealed: of some keys no word may ever be on disk. */
  vault: Vault
  /** Is something of that session under way here? */
  isHere(session: string): boolean
  take(session: string, frame: string): void
}

export function openMailbox({ sql, log, vault, isHere, take }: MailboxOptions): Mailbox {
  const listening = sql.listen('sluice_mcp_mail', (told) => void fetch(told))
  listening.catch(() => {}) // postgres.js itself tries again, for ever
  return {
    async send(session, frame) {
      const sealed = vault.seal(frame, contextOf(session))
      await sql`insert into mcp_mail (session, frame) values (${session}, ${sealed})`
    },
    async close() {
      const session = await Promise.race([listening.catch(() => null), Bun.sleep(500)])
      await session?.unlisten().catch(() => {})
    },
  }

  async function fetch(told: string): Promise<void> {
    const [id = '', session = ''] = told.split(' ')
    if (!isHere(session)) return
    try {
      const [mail] = await sql<{ frame: string }[]>`select frame from mcp_mail where id = ${id}`
      if (mail !== undefined) take(session, vault.open(mail.frame, contextOf(session)))
    } catch (error) {
      log.warn({ reason: errorText(error) }, 'MCP: what a client said at another gateway could not be read')
    }
  }
}

function contextOf(session: string): string {
  return `mcp mail of ${session}`
}

/** What nobody took in time, nobody will. */
export async function dropMail(sql: Sql): Promise<void> {
  await sql`delete from mcp_mail where sent_at < now() - interval '1 minute'`
}
