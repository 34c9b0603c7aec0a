import type { Recording, Spool } from '#capture'
import { now } from '#lib/clock'
import { verdictReader } from './failed.ts'
import { harmlessHeaders, keptHeaders } from './hop-headers.ts'
import { exchangeOf } from './hop-open.ts'
import type { Hop, HopEnd, HopOpen, Recorder } from './recorder.ts'

/** What is told of every hop at its end: for metrics, never with content. */
export type ObservedHop = {
  hop: 'client' | 'upstream'
  peer: string | null
  rpc: string | null
  outcome: HopEnd['outcome']
  /** ms since the epoch. */
  startedAt: number
  endedAt: number
}

export type RecorderOptions = { spool: Pick<Spool, 'begin'>; observe?: (end: ObservedHop) => void }

/** The record of MCP traffic on the gateway's own spool. */
export function openRecorder({ spool, observe = () => {} }: RecorderOptions): Recorder {
  return {
    begin(open) {
      const exchange = exchangeOf(open)
      const recording = spool.begin(exchange)
      return hopOf(open, { id: exchange.id, recording }, (end, endedAt) => {
        const { hop, peer, rpc } = open
        observe({ hop, peer, rpc, outcome: end.outcome, startedAt: exchange.started_at, endedAt })
      })
    },
  }
}

function hopOf(
  { hop, mode }: HopOpen,
  { id, recording }: { id: string; recording: Recording },
  onEnd: (end: HopEnd, endedAt: number) => void,
): Hop {
  // Elsewhere the bytes say later what went wrong.
  const verdict = mode === 'metadata' ? verdictReader() : null
  const headersOf = hop === 'upstream' ? harmlessHeaders : keptHeaders
  let firstByteAt: number | null = null
  let ended = false
  return {
    id,
    request(bytes) {
      const given = bytesOf(bytes)
      recording.request(given)
      verdict?.request(given)
    },
    response(bytes) {
      firstByteAt ??= now()
      const given = bytesOf(bytes)
      recording.response(given)
      verdict?.response(given)
    },
    end(given) {
      if (ended) return
      ended = true
      const endedAt = now()
      const failed = verdict?.error() ?? null
      const end =
        failed !== null && given.outcome === 'completed'
          ? { ...given, outcome: 'upstream_error' as const, error: given.error ?? failed }
          : given
      onEnd(end, endedAt)
      return recording.seal({
        outcome: end.outcome,
        status: end.status,
        error: reason(end.error),
        first_byte_at: firstByteAt,
        ended_at: endedAt,
        response_headers: headersOf(end.headers ?? []),
      })
    },
  }
}

const encoder = new TextEncoder()

function bytesOf(bytes: Uint8Array | string): Uint8Array {
  return typeof bytes === 'string' ? encoder.encode(bytes) : bytes
}

/** A word or two for programs and people. What does not look like that may be content. */
function reason(text: string | null): string | null {
  return text === null || /^[\w .:-]{1,64}$/.test(text) ? text : 'error'
}
