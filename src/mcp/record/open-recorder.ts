import type { Recording, Spool } from '#capture'
import { now } from '#lib/clock'
import { keptHeaders } from './hop-headers.ts'
import { exchangeOf } from './hop-open.ts'
import type { Hop, HopEnd, Recorder } from './recorder.ts'

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
      return hopOf(exchange.id, recording, (end, endedAt) => {
        const { hop, peer, rpc } = open
        observe({ hop, peer, rpc, outcome: end.outcome, startedAt: exchange.started_at, endedAt })
      })
    },
  }
}

function hopOf(id: string, recording: Recording, onEnd: (end: HopEnd, endedAt: number) => void): Hop {
  let firstByteAt: number | null = null
  let ended = false
  return {
    id,
    request: (bytes) => recording.request(bytesOf(bytes)),
    response(bytes) {
      firstByteAt ??= now()
      recording.response(bytesOf(bytes))
    },
    end(end) {
      if (ended) return
      ended = true
      const endedAt = now()
      onEnd(end, endedAt)
      return recording.seal({
        outcome: end.outcome,
        status: end.status,
        error: reason(end.error),
        first_byte_at: firstByteAt,
        ended_at: endedAt,
        response_headers: keptHeaders(end.headers ?? []),
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
