import type { Dialect } from './dialect.ts'
import { openaiError } from './errors.ts'
import { unread } from './unread.ts'

export const openaiResponses: Dialect = { name: 'openai-responses', errorBody: openaiError, ...unread }
