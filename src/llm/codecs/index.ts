/**
 * Codecs translate a call between dialects through one neutral model (`model.ts`, `events.ts`).
 * What a target cannot carry is in the table of `rules.ts`.
 */

export type { Relay } from './relay.ts'
export { type Feature, rules } from './rules.ts'
export type { DialectName, Translation, Translator } from './translation.ts'
export { translator } from './translator.ts'
