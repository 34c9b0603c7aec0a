import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { may, type Principal } from '#access'
import { SluiceError } from '#lib/errors'
import { notFound } from '../reading/query.ts'
import { reach } from '../reading/reach.ts'
import { eraseContents } from '../storing/erasing.ts'
import { id } from '../tool-input.ts'

export const deleteInput = z.strictObject({
  conversation_id: id,
  force: z
    .boolean()
    .default(false)
    .meta({ description: 'Without it you are only told what would be deleted' }),
})

export const deleteText = `Deletes a conversation for good: its messages, their words in the search, and the recorded bytes of the calls that they came with. Of these calls the numbers stay (time, model, tokens, cost), as spend is counted by them; so do results that other tools gave of it, and answers in the response cache until they expire. A recorded conversation needs the scope admin, and is there again if its client goes on with it and sends its history. Without force nothing is deleted.`

type Found = { tenant: string; by_tool: boolean; turns: number; exchanges: number }

/** @throws SluiceError 404; 403 where it was recorded and the caller is no admin; 409 without force */
export async function deleteKept(
  sql: Sql,
  { id, force, principal }: { id: string; force: boolean; principal: Principal },
) {
  const tenant = reach(principal, undefined)
  return await sql.begin(async (tx) => {
    const [found] = await tx<Found[]>`
      select tenant, by_tool, turns, exchanges from conversations
      where id = ${id} ${tenant === null ? tx`` : tx`and tenant = ${tenant}`} for update`
    if (found === undefined) throw notFound('conversation')
    mayDelete(principal, { ...found, id, force })
    const exchanges = await exchangesOf(tx, id)
    await eraseContents(tx, exchanges)
    await tx`
      update exchanges set mode = 'erased', conversation_id = null, request_sha256 = null, response_sha256 = null
      where id = any(${exchanges}::uuid[])`
    for (const table of ['exchange_classes', 'mcp_exchanges', 'tool_uses'])
      await tx`delete from ${tx(table)} where id = any(${exchanges}::uuid[])`
    await tx`delete from turn_words where id in (select id from turns where conversation_id = ${id})`
    const { count } = await tx`delete from turns where conversation_id = ${id}`
    await tx`delete from conversations where id = ${id}`
    return { deleted: true, conversation_id: id, messages_deleted: count, exchanges_erased: exchanges.length }
  })
}

function mayDelete(principal: Principal, found: Found & { id: string; force: boolean }): void {
  const what = `deleting conversation ${found.id}`
  if (!found.by_tool && !may(principal, 'admin'))
    throw new SluiceError(
      403,
      'forbidden',
      `${what}: it was recorded from traffic, which only an admin may delete`,
    )
  if (found.force) return
  const holds = `${found.turns} messages and ${found.exchanges} recorded calls`
  throw new SluiceError(
    409,
    'needs-force',
    `${what}: it holds ${holds}; nothing was deleted: say force to delete them for good`,
  )
}

/** Those of its traffic, the calls of tools that stored messages in it, and what these calls caused. */
async function exchangesOf(tx: TransactionSql, id: string): Promise<string[]> {
  const rows = await tx<{ id: string }[]>`
    select id from exchanges where conversation_id = ${id}
    union select x.id from turns t join exchanges x on x.id = t.exchange_id
    where t.conversation_id = ${id} and t.by_tool`
  const ids = rows.map((row) => row.id)
  const caused = await tx<{ id: string }[]>`select id from mcp_exchanges where parent = any(${ids}::uuid[])`
  return [...new Set([...ids, ...caused.map((row) => row.id)])]
}
