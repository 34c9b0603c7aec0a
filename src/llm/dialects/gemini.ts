import type { Dialect } from './dialect.ts'
import { geminiError } from './errors.ts'
import { unread } from './unread.ts'

export const gemini: Dialect = { name: 'gemini', errorBody: geminiError, ...unread }
