import { SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { conversationLines } from './export-conversations.ts'
import { exchangeLines } from './export-exchanges.ts'
import type { ExportQuery, ExportRun } from './export-query.ts'

/**
 * The lines of an export, in pieces as they are read. The last line is a trailer: `end` with the count and, where
 * there is more, `after` to go on with; `error` where it broke off. A stream without a trailer is not whole.
 */
export async function* exportPieces(
  query: ExportQuery,
  run: ExportRun & { log: Logger },
): AsyncGenerator<string> {
  const lines = query.what === 'exchanges' ? exchangeLines(query, run) : conversationLines(query, run)
  let count = 0
  let after = query.after ?? null
  try {
    for await (const { id, pieces } of lines) {
      if (count === query.limit) return yield trailer({ type: 'end', count, complete: false, after })
      yield* pieces
      after = id
      count++
    }
    yield trailer({ type: 'end', count, complete: true, after })
  } catch (error) {
    if (count === 0) throw error
    run.log.error({ err: error }, 'an export broke off')
    const detail =
      error instanceof SluiceError ? error.message : 'The gateway failed; its log has the reason.'
    yield `\n${trailer({ type: 'error', detail, count, after })}`
  }
}

function trailer(line: object): string {
  return `${JSON.stringify(line)}\n`
}
