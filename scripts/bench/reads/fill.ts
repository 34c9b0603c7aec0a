import type postgres from 'postgres'
import { idFloor } from '#lib/ids'
import { openStore } from '#store'
import { daySql, functionsSql } from './rows.ts'
import { texts } from './texts.ts'

const dayMs = 86_400_000
export const filledDays = 30

/**
 * Fills a database that has nothing but its schema with that many exchanges, spread over the last 30 days up to now: as
 * the worker stores them, but a day at a time, and with the indexes of a day made after its rows, which takes a
 * tenth of the time.
 */
export async function fill(url: string, rows: number): Promise<void> {
  const stores = Array.from({ length: fillers }, () => openStore(url, { max: 1, name: 'sluice-bench' }))
  const [sql] = stores.map((store) => store.sql)
  try {
    if (sql === undefined) return
    await sql.unsafe(
      'create unlogged table bench_texts (n int primary key, text text not null, words tsvector not null)',
    )
    const pool = texts(4_000)
    await sql`insert into bench_texts select n - 1, text, words::tsvector
      from unnest(${pool.map(({ text }) => text)}::text[], ${pool.map(({ words }) => words)}::text[])
        with ordinality as pool (text, words, n)`
    const until = Date.now()
    const since = until - filledDays * dayMs
    let next = Math.floor(since / dayMs)
    await Promise.all(
      stores.map(async ({ sql }) => {
        await sql.unsafe(settings)
        for (let day = next++; day * dayMs < until; day = next++) {
          const [from, to] = [Math.max(since, day * dayMs), Math.min(until, (day + 1) * dayMs)]
          const count = Math.round((rows * (to - from)) / (until - since))
          await fillDay(sql, { day, from, to, count })
          console.error(`filled ${new Date(from).toISOString().slice(0, 10)}: ${count} exchanges`)
        }
      }),
    )
    for (const last of [
      'drop table bench_texts',
      'vacuum analyze conversations',
      'vacuum analyze spend',
      'checkpoint',
    ])
      await sql.unsafe(last)
  } finally {
    for (const { close } of stores) await close()
  }
}

const fillers = 2
const settings = `set synchronous_commit = off; set maintenance_work_mem = '512MB'; set work_mem = '256MB'; ${functionsSql}`

type Day = { day: number; from: number; to: number; count: number }

async function fillDay(sql: postgres.Sql, { day, from, to, count }: Day): Promise<void> {
  const name = new Date(day * dayMs).toISOString().slice(0, 10).replaceAll('-', '')
  const parents = await sql<{ table: string }[]>`select relname as "table" from pg_class where relkind = 'p'`
  const tables = parents.map(({ table }) => table)
  for (const table of tables) {
    // Today's may be there already, and empty.
    await sql.unsafe(`drop table if exists ${table}_${name};
      create table ${table}_${name} (like ${table} including defaults including storage)`)
  }
  for (const statement of daySql({ name, day, from, span: to - from, count })) await sql.unsafe(statement)
  for (const table of tables) {
    await sql.unsafe(`alter table ${table} attach partition ${table}_${name}
      for values from ('${idFloor(day * dayMs)}') to ('${idFloor((day + 1) * dayMs)}')`)
    await sql.unsafe(`vacuum analyze ${table}_${name}`)
  }
}
