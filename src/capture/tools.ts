import type { Sql } from 'postgres'
import type { Tool } from '#access'
import { contextTools } from './contexts/context-tools.ts'
import { exchangeTools } from './kept/exchange-tools.ts'
import { keepingTools } from './kept/keeping-tools.ts'
import { readingTools } from './kept/reading-tools.ts'
import { logTools } from './logs/log-tools.ts'
import type { Reading } from './reading/reading.ts'
import type { Replay } from './reading/replay.ts'

export type CaptureToolsOptions = {
  sql: Sql
  reading: Pick<Reading, 'read'>
  replay: Replay
  /** Does that provider take requests of that dialect? @default any may be tried */
  speaks?: (provider: string, dialect: string) => boolean
  /** `DATA_DIR/files`, with a folder for each tenant: the only place that tools read files from. */
  filesFolder: string
}

/** The record as tools: conversations, startup contexts, logs, exchanges and their replay. */
export function captureTools(options: CaptureToolsOptions): Tool[] {
  return [
    ...keepingTools(options),
    ...readingTools(options),
    ...contextTools(options.sql),
    ...logTools(options),
    ...exchangeTools(options),
  ]
}
