import { afterAll, beforeAll } from 'bun:test'
import { pino } from 'pino'
import { z } from 'zod'
import { type Broker, openBroker } from '#broker'
import { defineQueue, type QueueContract } from '#queues/queue'
import type { Gate } from '../support/gate.ts'

/** One real engine, reached through a gate, as the suite needs it. */
export type EngineServer = AsyncDisposable & {
  url: string
  gate: Gate
}

export type OpenServer = () => Promise<EngineServer>

export type Note = z.infer<typeof notePayload>

const notePayload = z.object({ v: z.literal(1), text: z.string(), extra: z.number().optional() })

let made = 0

/** A contract with a queue of its own, so that tests of one server do not meet. */
export function noteQueue(change: Partial<QueueContract<Note>> = {}): QueueContract<Note> {
  made += 1
  return defineQueue<Note>({
    name: `notes-${made}`,
    payload: notePayload,
    retry: { attempts: 3, backoffMs: 20, backoffMaxMs: 100 },
    retention: { completed: { count: 10, ageSeconds: 3600 }, failed: { count: 10, ageSeconds: 3600 } },
    ...change,
  })
}

export function broker(url: string, name = 'test'): Broker {
  return openBroker(url, url, { log: pino({ level: 'silent' }), name })
}

export const note = (text: string): Note => ({ v: 1, text })

/** For the body of a `describe`: an engine for all its tests, and a broker on it. */
export function sharedEngine(open: OpenServer): { server: () => EngineServer; one: () => Broker } {
  let server: EngineServer | undefined
  let one: Broker | undefined

  beforeAll(async () => {
    server = await open()
    one = broker(server.url)
    await one.verify()
  }, 60_000)

  afterAll(async () => {
    await one?.close()
    await server?.[Symbol.asyncDispose]()
  })

  return { server: () => opened(server), one: () => opened(one) }
}

function opened<Thing>(thing: Thing | undefined): Thing {
  if (thing === undefined) throw new Error('it is opened before the first test, and not earlier')
  return thing
}

/** For `onError` where the test does not look at it. */
export const ignore = (): void => {}
