import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Announcer } from '../events/announce.ts'
import type { Registry } from '../registry.ts'
import { fireDue } from './fire.ts'

const idleMs = 1_000

/** Submits what schedules want, on time. Every worker has one; a row's lock decides between them. */
export function openClock(options: { sql: Sql; registry: Registry; announcer: Announcer; log: Logger }): {
  stop(): Promise<void>
} {
  const { sql, registry, announcer, log } = options
  let stopped = false
  let down = false
  let wake = () => {}
  const running = loop()
  return {
    async stop() {
      stopped = true
      wake()
      await running
    },
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      const ms = await look()
      if (stopped) return
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      const timer = setTimeout(resolve, ms)
      await promise
      clearTimeout(timer)
    }
  }

  /** @returns until the next look, in ms */
  async function look(): Promise<number> {
    try {
      const { fired, nextMs } = await fireDue(sql, registry)
      if (fired > 0) announcer.due()
      if (down) log.info('schedules: on time again')
      down = false
      return Math.min(idleMs, Math.max(1, Math.ceil(nextMs ?? idleMs)))
    } catch (error) {
      if (!down && !stopped)
        log.warn({ reason: errorText(error) }, 'schedules: the database is away, trying on')
      down = true
      return idleMs
    }
  }
}
