import type { Sql } from 'postgres'
import type { Tool } from '#access'
import type { Reading } from '#capture'
import type { Orchestra } from './orchestra/orchestra.ts'
import { keyTools } from './tools/key-tools.ts'
import { moneyTools } from './tools/money-tools.ts'
import { orchestraTools } from './tools/orchestra-tools.ts'

export type LlmToolsOptions = {
  sql: Sql
  reading: Pick<Reading, 'read'>
  orchestra: Orchestra
  /** `DATA_DIR/files`, with a folder for each tenant: the only place that tools read files from. */
  filesFolder: string
}

/** Models as tools: many models with one prompt, provider keys, and what was used and spent. */
export function llmTools(options: LlmToolsOptions): Tool[] {
  return [...orchestraTools(options), ...keyTools(options.orchestra), ...moneyTools(options)]
}
