import { isoTime } from '#lib/clock'
import type { Source } from './source.ts'

/** A server of which nothing is known, or that cannot be reached now. */
export type Missing = { server: string; status: string; reason: string; next_try_at?: string }

/** Servers that never said what they offer: their tools are missing from every list. */
export function missing(sources: readonly Source[]): Missing[] {
  return sources.filter((source) => source.catalogue() === null).map(missingOf)
}

/** Servers that cannot be called now: of some of them it is known what they offered last. */
export function unreachable(sources: readonly Source[]): Missing[] {
  return sources
    .filter((source) => source.catalogue() === null || source.upstream.state().status === 'waiting')
    .map(missingOf)
}

export function missingOf(source: Source): Missing {
  const { status, reason, next_try_at } = source.upstream.state()
  return {
    server: source.server.name,
    status,
    reason: brief(reason ?? source.problem() ?? 'it has not answered yet'),
    ...(next_try_at === null ? {} : { next_try_at: isoTime(next_try_at) }),
  }
}

/** Without what a process said last, which is for admins. */
export function brief(reason: string): string {
  return (reason.split('\n')[0] ?? '').slice(0, 200)
}
