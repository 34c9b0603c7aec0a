import type { Translator } from '../codecs/translation.ts'

/** A new one for each try. Null where there is no such way, or both are the same. */
export type Translate = (from: string, to: string) => Translator | null
