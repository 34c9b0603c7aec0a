import type { Sql } from 'postgres'
import {
  type ClassifiedExchange,
  type Contents,
  type Interpret,
  openContents,
  storeClasses,
  type Unclassified,
} from '#capture'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Classified, Classifier } from './classifier.ts'
import { subjectOf } from './subject.ts'

export type ClassifyTools = {
  sql: Sql
  interpret: Interpret
  classifier: Classifier
  log: Logger
}

export type ClassifyRun = {
  signal: AbortSignal
  /** Wait for the model's turn, where it is the model's; @default false: leave it to the rules */
  patient?: boolean
}

type Run = ClassifyRun & { read: Contents['read'] }

const atOnce = 4
const storedAtOnce = 64

export type ClassifyExchanges = (
  exchanges: readonly Unclassified[],
  run: ClassifyRun,
) => Promise<{ classified: number; failed: number }>

/**
 * Reads what was said, classifies and stores it, a few at a time. An exchange whose content cannot be read or says
 * nothing is passed over. Stops early, with what is stored so far, when the signal is aborted.
 */
export function openClassify({ sql, interpret, classifier, log }: ClassifyTools): ClassifyExchanges {
  const contents = openContents(sql)
  const days = new Set<number>()

  return async (exchanges, run) => {
    const count = { classified: 0, failed: 0 }
    for (let at = 0; at < exchanges.length && !run.signal.aborted; at += storedAtOnce) {
      const some = exchanges.slice(at, at + storedAtOnce)
      const read = await contents.fetch(some.map(({ id }) => id))
      const found = await inParallel(some, (one) => classifyOne(one, { ...run, read }))
      const classified = found.filter((one) => one !== null)
      await storeClasses(sql, classified, days)
      count.classified += classified.length
      count.failed += found.length - classified.length
    }
    return count
  }

  async function classifyOne(exchange: Unclassified, run: Run): Promise<ClassifiedExchange | null> {
    if (run.signal.aborted) return null
    const found = await understand(exchange, run)
    return found === null ? null : { exchange, ...found }
  }

  async function understand(exchange: Unclassified, { read, ...run }: Run): Promise<Classified | null> {
    const recorded = await readOrNull(exchange.id, read)
    if (recorded === null) return null
    if (recorded.open.dialect === 'openai-embeddings') return embedding
    const means = interpret(recorded)
    if (means.reply === null && means.history.length === 0) return null
    const { tenant, provider } = exchange
    return await classifier.classify(subjectOf(means), { tenant, provider, ...run })
  }

  /** Damaged content is reported where it is rebuilt or read by people; here it is only left out. */
  async function readOrNull(id: string, read: Contents['read']) {
    try {
      return await read(id)
    } catch (error) {
      if (error instanceof Error && 'code' in error) throw error
      log.warn({ exchange: id, reason: errorText(error, 300) }, 'classification: content cannot be read')
      return null
    }
  }
}

const embedding: Classified = {
  classes: {
    ...{ task_type: 'embedding', complexity: 'low', language: null, stack: [] },
    ...{ domain: 'general', sensitivity: 'internal' },
  },
  title: null,
  source: 'rules',
}

async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const rest = items.entries()
  const walk = async () => {
    for (const [index, item] of rest) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, walk))
  return results
}
