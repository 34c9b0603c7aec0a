import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import { heedMs } from './attempt.ts'
import type { Begun } from './begin.ts'
import type { End } from './end.ts'
import { LostError, StoppedError, WorkerDiedError } from './reasons.ts'
import { verdict } from './verdict.ts'

/** Runs attempts in processes of their own, each alone in one, so that one that dies harms no other. */
export type Apart = {
  /** Waits for a place, calls `onBegun`, and runs it. Never rejects. */
  run(job: Begun, how: { signal: AbortSignal; onBegun: () => void }): Promise<End>
}

/** What the worker says to such a process once that is `ready`, and its answer. */
export type ToApart = { job: Begun } | { abort: { name: string; message: string } }
export type FromApart = { ready: true } | { end: End }

/** Each costs the memory of a whole process. */
const mostAtOnce = 4
/** Until one that could not begin is tried again, in ms. */
const againMs = 5_000
const goodbyeMs = 2_000

/** `command`: starts a process that calls `serveApart`. */
export function openApart({ command, log }: { command: readonly string[]; log: Logger }): Apart {
  let taken = 0
  const waiting = new Set<() => void>()

  return {
    async run(job, { signal, onBegun }) {
      while (taken >= mostAtOnce && !signal.aborted) await placeOrEnd(signal)
      if (signal.aborted) return verdict({ error: signal.reason, cause: signal.reason }, job)
      taken += 1
      try {
        onBegun()
        return await runIn(command, job, signal)
      } catch (error) {
        log.error({ job: job.id, reason: errorText(error) }, 'jobs: no process for a job of its own')
        return notBegun(error)
      } finally {
        taken -= 1
        for (const look of waiting) look()
      }
    },
  }

  async function placeOrEnd(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.add(resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
    waiting.delete(resolve)
  }
}

/** @throws Error where the process ended before it had the job, or could not be started */
async function runIn(command: readonly string[], job: Begun, signal: AbortSignal): Promise<End> {
  const came = Promise.withResolvers<End>()
  let begun = false
  const child = Bun.spawn([...command], {
    ...{ stdin: 'ignore', stdout: 'inherit', stderr: 'inherit', serialization: 'advanced' },
    ipc(message: FromApart) {
      if ('end' in message) return came.resolve(message.end)
      begun = true
      tell(child, { job })
    },
  })
  let patience: Timer | undefined
  const onAbort = () => {
    const { reason } = signal
    if (reason instanceof LostError || reason instanceof StoppedError || !begun) {
      // Another worker may have it in a moment: what is to be written about this attempt does not wait for its end.
      child.kill('SIGKILL')
      return came.resolve(verdict({ error: reason, cause: reason }, job))
    }
    tell(child, { abort: { name: reason.name, message: reason.message } })
    // One that keeps its process busy hears nothing.
    patience = setTimeout(() => child.kill('SIGKILL'), heedMs + 1_000)
  }
  signal.addEventListener('abort', onAbort)
  try {
    const end = await Promise.race([came.promise, child.exited])
    if (typeof end !== 'number') return end
    if (signal.aborted) return verdict({ error: signal.reason, cause: signal.reason }, job)
    if (!begun) throw new Error(`it ended with ${end} before it was ready`)
    const error = new WorkerDiedError(
      `its worker died ${job.deaths + 1} times over it, the last time with nothing else in the process`,
    )
    return verdict({ error, cause: undefined }, job)
  } finally {
    clearTimeout(patience)
    signal.removeEventListener('abort', onAbort)
    void dismiss(child)
  }
}

async function dismiss(child: Bun.Subprocess): Promise<void> {
  if (isRunning(child)) child.disconnect()
  const late = setTimeout(() => child.kill('SIGKILL'), goodbyeMs)
  await child.exited
  clearTimeout(late)
}

function tell(child: Bun.Subprocess, message: ToApart): void {
  // What has just died is told nothing; that it ended is heard elsewhere.
  if (isRunning(child)) child.send(message)
}

function isRunning(child: Bun.Subprocess): boolean {
  return child.exitCode === null && child.signalCode === null
}

/** The job had no part in it. */
function notBegun(error: unknown): End {
  const text = `no process of its own could be started: ${errorText(error, 500)}`
  return {
    ...{ state: 'scheduled', outcome: 'stopped', spared: true, delayMs: againMs },
    error: { text, name: 'NotBegun', stack: null },
  }
}
