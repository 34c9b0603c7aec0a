import type { Dialect } from './dialect.ts'
import { openaiError } from './errors.ts'
import { unread } from './unread.ts'

export const openaiChat: Dialect = { name: 'openai-chat', errorBody: openaiError, ...unread }
