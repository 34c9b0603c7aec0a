import type { Dialect } from './dialect.ts'
import { anthropicError } from './errors.ts'
import { unread } from './unread.ts'

export const anthropic: Dialect = { name: 'anthropic', errorBody: anthropicError, ...unread }
