import type { Sql, TransactionSql } from 'postgres'
import { cleanText, SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'

/** A text that an agent reads when it starts. */
export type StartupContext = {
  id: string
  name: string
  content: string
  is_active: boolean
  created_at: string
  updated_at: string
}

/** The one of that name, or else the active one; null where there is none. */
export async function findContext(sql: Sql, tenant: string, name?: string): Promise<StartupContext | null> {
  const which = name === undefined ? sql`is_active` : sql`name = ${name}`
  const [row] = await sql<StartupContext[]>`
    select ${columns(sql)}, content from startup_contexts where tenant = ${tenant} and ${which}`
  return row ?? null
}

/** By name, 1,000 at most. */
export async function listContexts(
  sql: Sql,
  tenant: string,
  { content }: { content: boolean },
): Promise<(Omit<StartupContext, 'content'> & { content?: string })[]> {
  return await sql`
    select ${columns(sql)} ${content ? sql`, content` : sql``} from startup_contexts
    where tenant = ${tenant} order by name limit 1000`
}

/** Makes or replaces it. `active` true takes the place of the active one; undefined leaves as it was. */
export async function setContext(
  sql: Sql,
  tenant: string,
  { name, content, active }: { name: string; content: string; active?: boolean | undefined },
): Promise<StartupContext> {
  const row = await sql.begin(async (tx) => {
    await alone(tx, tenant)
    if (active === true)
      await tx`update startup_contexts set is_active = false where tenant = ${tenant} and is_active and name <> ${name}`
    const [set] = await tx<StartupContext[]>`
      insert into startup_contexts (id, tenant, name, content, is_active)
      values (${newId()}, ${tenant}, ${name}, ${cleanText(content)}, ${active ?? false})
      on conflict (tenant, name) do update set content = excluded.content, updated_at = now(),
        is_active = coalesce(${active ?? null}::boolean, startup_contexts.is_active)
      returning ${columns(sql)}, content`
    return set
  })
  return row as StartupContext
}

/** @throws SluiceError 404; 409 where it is the active one and `force` is not set */
export async function deleteContext(
  sql: Sql,
  tenant: string,
  { name, force }: { name: string; force: boolean },
): Promise<void> {
  await sql.begin(async (tx) => {
    await alone(tx, tenant)
    const [row] = await tx<{ is_active: boolean }[]>`
      select is_active from startup_contexts where tenant = ${tenant} and name = ${name}`
    if (row === undefined) throw noContext(name)
    if (!force) {
      const state = row.is_active ? ', and is the active one' : ''
      throw new SluiceError(
        409,
        'needs-force',
        `deleting startup context ${JSON.stringify(name)}: it is there${state}; nothing was deleted: say force to delete it for good`,
      )
    }
    await tx`delete from startup_contexts where tenant = ${tenant} and name = ${name}`
  })
}

export function noContext(name: string | undefined): SluiceError {
  const message =
    name === undefined
      ? 'No startup context is active'
      : `There is no startup context ${JSON.stringify(name)}`
  return new SluiceError(404, 'not-found', message)
}

/** One change of a tenant's contexts at a time, so that two who activate do not meet in the unique index. */
async function alone(tx: TransactionSql, tenant: string): Promise<void> {
  await tx`select pg_advisory_xact_lock(${lockSpace}, hashtext(${tenant}))`
}

const lockSpace = 0x51_0c_e1

function columns(sql: Sql) {
  const iso = (name: string) =>
    sql`to_char(${sql(name)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(name)}`
  return sql`id, name, is_active, ${iso('created_at')}, ${iso('updated_at')}`
}
