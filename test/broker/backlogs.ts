import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { pino } from 'pino'
import type { Engine } from '../../src/broker/engine.ts'
import { openPostgresEngine } from '../../src/broker/postgres-engine.ts'
import { openRedisEngine } from '../../src/broker/redis-engine.ts'
import { watchBacklog } from '../../src/broker/watchdog.ts'
import { until } from '../support/until.ts'
import type { EngineServer, OpenServer } from './server.ts'

/** A worker that does nothing beside jobs that wait: to be noticed, where it could do something. */
export function backlogCases(name: 'Postgres' | 'Redis', open: OpenServer): void {
  describe(`backlogs on ${name}`, () => {
    let server: EngineServer
    let engine: Engine
    beforeAll(async () => {
      server = await open()
      const openEngine = name === 'Postgres' ? openPostgresEngine : openRedisEngine
      engine = openEngine(server.url, { log: pino({ level: 'silent' }), name: 'test' })
      await engine.verify()
    }, 60_000)
    afterAll(async () => {
      await engine.close()
      await server[Symbol.asyncDispose]()
    })

    const idle = { running: () => 0, begun: () => 0 }
    /** Counts how often the worker of that queue is found asleep. */
    const watched = (queue: string, runner = idle) => {
      let found = 0
      const onAsleep = () => {
        found += 1
      }
      const { stop } = watchBacklog(engine, queue, runner, { everyMs: 10, onAsleep })
      return { found: () => found, stop }
    }

    test('Q2: a worker that does nothing beside a backlog is noticed, one without a backlog is not', async () => {
      await (await engine.queue('backlog')).add('waiting', {}, {})
      const none = watched('empty')
      const asleep = watched('backlog')
      await until('it is found again and again', () => asleep.found() > 2)
      expect(none.found()).toBe(0)
      for (const each of [none, asleep]) each.stop()
    })

    test('a worker beside the backlog of a paused queue is not asleep, until that goes on', async () => {
      const queue = await engine.queue('paused')
      await queue.pause()
      for (const options of [{}, { priority: 5 }]) await queue.add('held', {}, options)
      await (await engine.queue('other')).add('waiting', {}, {})
      const held = watched('paused')
      const asleep = watched('other')
      await until('the other one is found again and again', () => asleep.found() > 4)
      expect(held.found()).toBe(0)
      await queue.resume()
      await until('it is found, too', () => held.found() > 0)
      for (const each of [held, asleep]) each.stop()
    })

    test('a worker that begins jobs, or has one under way, is not asleep beside a backlog', async () => {
      await (await engine.queue('busy')).add('waiting', {}, {})
      let begun = 0
      const begins = watched('busy', { running: () => 0, begun: () => ++begun })
      const runs = watched('busy', { running: () => 1, begun: () => 0 })
      const asleep = watched('busy')
      await until('an idle one is found again and again', () => asleep.found() > 4)
      expect([begins.found(), runs.found()]).toEqual([0, 0])
      for (const each of [begins, runs, asleep]) each.stop()
    })
  })
}
