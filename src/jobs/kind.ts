import type { z } from 'zod'
import type { Scope } from '#access'

/** How long to wait before a further attempt: `ms`, or doubled each time up to `max_ms`; with jitter. */
export type Backoff = { type: 'exponential' | 'fixed'; ms: number; max_ms: number }

/** What holds for a job of this kind that does not say otherwise. */
export type KindDefaults = {
  /** Attempts in all. @default 1 */
  attempts?: number
  /** @default exponential from 1 s to 60 s */
  backoff?: Backoff
  /** Of one attempt, in ms. @default 600,000 */
  timeoutMs?: number
}

/**
 * What a running job has to work with. `signal` is aborted when it is cancelled, when its time is over, when its
 * worker stops or when it was lost to another: a run that goes on regardless is given up after some seconds, and
 * whatever it then returns is not kept.
 */
export type RunContext = {
  id: string
  tenant: string
  /** From 1. */
  attempt: number
  signal: AbortSignal
  /** `part` from 0 to 1. Kept and told at most four times a second, later every 5 s, the last one always. */
  progress(part: number, note?: string): void
  /** A line for people; some 1,000 of a job are kept. */
  log(line: string): void
  /**
   * Calls the gateway for the job's tenant, on the budgets and limits of the key that submitted it. The exchanges
   * that this makes are of that key, carry the tag `job:<id>`, and are recorded in its capture mode. The path is that
   * of the gateway, as in `/p/mock/v1/messages`.
   */
  call(path: string, init?: RequestInit): Promise<Response>
  /** Where a result that is too large for one value goes, piece by piece. The last attempt's file is kept. */
  file(piece: Uint8Array): Promise<void>
}

/**
 * What a job may be asked to do. `run` gets the input as the schema gives it, and comes at least once: its worker may
 * die after the work and before the row knew. What it returns is the result, as JSON. What it throws makes a further
 * attempt while there are any, a `FinalJobError` none.
 */
export type Kind<Input extends z.ZodType = z.ZodType> = {
  /** kebab-case, never changed: rows of years ago have it. */
  name: string
  summary: string
  input: Input
  result?: z.ZodType
  defaults?: KindDefaults
  /** Scopes that who submits it must have beside `call`. */
  needs?: readonly Scope[]
  run(input: z.output<Input>, context: RunContext): Promise<unknown>
}

/** A kind whose input's type is known to `run` and to nobody else. */
export function defineKind<Input extends z.ZodType>(kind: Kind<Input>): Kind {
  return kind as unknown as Kind
}

export const ordinary = {
  attempts: 1,
  backoff: { type: 'exponential', ms: 1_000, max_ms: 60_000 },
  timeoutMs: 600_000,
} as const satisfies Required<KindDefaults>
