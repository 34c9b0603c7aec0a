import type postgres from 'postgres'
import { idFloor, idTime } from '#lib/ids'
import { withFacts } from './exchange-facts.ts'
import { type BareExchangeRow, type ExchangeItem, exchangeColumns, exchangeItem } from './exchange-item.ts'

const childrenAtMost = 100

/** What an exchange led to: the tool uses that its answer asked for, and the exchanges that name it as their cause. */
export async function readCaused(sql: postgres.Sql, { id, tenant }: Pick<ExchangeItem, 'id' | 'tenant'>) {
  const floor = idFloor(idTime(id) - clockSlackMs)
  const [uses, children] = await Promise.all([
    sql<{ id: string; name: string | null }[]>`
      select tool_use as id, name from tool_uses where id = ${id} order by place`,
    sql<BareExchangeRow[]>`
      select ${exchangeColumns(sql)} from mcp_exchanges m join exchanges x on x.id = m.id
      where m.parent = ${id} and m.tenant = ${tenant} and m.id >= ${floor} and x.id >= ${floor}
      order by x.id limit ${childrenAtMost + 1}`,
  ])
  return {
    tool_uses: [...uses],
    children: (await withFacts(sql, children.slice(0, childrenAtMost))).map(exchangeItem),
    /** Are there more? Then they are listed by `/api/exchanges?parent=`. */
    more_children: children.length > childrenAtMost,
  }
}

/** A child may have been begun by another gateway, whose clock differs. */
const clockSlackMs = 60_000
