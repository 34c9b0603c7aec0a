import type { Dialect } from './dialect.ts'
import { openaiError } from './errors.ts'
import { unread } from './unread.ts'

export const openaiEmbeddings: Dialect = { name: 'openai-embeddings', errorBody: openaiError, ...unread }
