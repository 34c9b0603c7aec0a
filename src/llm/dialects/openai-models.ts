import type { Dialect } from './dialect.ts'
import { openaiError } from './errors.ts'
import { unread } from './unread.ts'

export const openaiModels: Dialect = { name: 'openai-models', errorBody: openaiError, ...unread }
