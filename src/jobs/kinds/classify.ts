import type { Sql } from 'postgres'
import { z } from 'zod'
import { type Unclassified, unclassified, unclassifiedSince } from '#capture'
import { idFloor, idTime } from '#lib/ids'
import type { ClassifyExchanges } from '#llm'
import { defineKind, type Kind, type RunContext } from '../kind.ts'

const time = z.iso.datetime({ offset: true })
const input = z
  .strictObject({
    ids: z.array(z.uuid()).min(1).max(10_000).optional(),
    since: time.optional(),
    until: time.optional().meta({ description: 'Default: now' }),
    provider: z.string().min(1).max(200).optional(),
  })
  .refine(({ ids, since }) => (ids === undefined) !== (since === undefined), {
    error: 'must name ids or since, one of both',
    path: ['ids'],
  })

const result = z.object({ classified: z.int(), passed_over: z.int() })

const atOnce = 128

export type ClassifyTools = { sql: Sql; classify: ClassifyExchanges }

/** `tools` are needed where jobs run; where they are only taken, there are none. */
export function classify(tools: ClassifyTools | null): Kind {
  return defineKind({
    name: 'classify',
    summary: 'Classifies recorded exchanges, by their ids or of a time, that are not classified yet',
    ...{ input, result, defaults: { attempts: 3, timeoutMs: 4 * 3_600_000 }, needs: ['read'] },
    async run(asked, context) {
      if (tools === null) throw new Error('classify: nothing runs here')
      const { signal, progress, tenant } = context
      const count = { classified: 0, passed_over: 0 }
      for await (const { part, exchanges } of batches(tools.sql, asked, context)) {
        const own = exchanges.filter(
          (one) => one.tenant === tenant && (asked.provider === undefined || one.provider === asked.provider),
        )
        const { classified, failed } = await tools.classify(own, { signal, patient: true })
        signal.throwIfAborted()
        count.classified += classified
        count.passed_over += failed
        progress(part, `${count.classified} classified`)
      }
      return count
    },
  })
}

type Batch = { part: number; exchanges: Unclassified[] }

async function* batches(
  sql: Sql,
  { ids, since, until }: z.output<typeof input>,
  { signal }: RunContext,
): AsyncGenerator<Batch> {
  if (ids !== undefined) {
    for (let at = 0; at < ids.length; at += atOnce) {
      const exchanges = await unclassified(sql, ids.slice(at, at + atOnce))
      yield { part: Math.min(1, (at + atOnce) / ids.length), exchanges }
    }
    return
  }
  const first = Date.parse(since ?? '')
  const last = until === undefined ? Date.now() : Date.parse(until)
  let after = idFloor(first)
  while (!signal.aborted) {
    const exchanges = await unclassifiedSince(sql, { after, before: idFloor(last), limit: atOnce })
    const position = exchanges.at(-1)?.id
    if (position === undefined) return
    after = position
    yield { part: Math.min(1, (idTime(position) - first) / Math.max(1, last - first)), exchanges }
  }
}
