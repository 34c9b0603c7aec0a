import { afterAll, beforeAll, expect, test } from 'bun:test'
import { sseParser } from '#lib/sse'
import { adminKey, bearer } from '../access/support.ts'
import { note } from '../broker/server.ts'
import { until } from '../support/until.ts'
import { type TestBoard, testBoard } from './support.ts'

let one: TestBoard

beforeAll(async () => {
  one = await testBoard()
})
afterAll(() => one[Symbol.asyncDispose]())

type Tab = {
  boards: { at: string; queues: { name: string; counts: { waiting: number } }[] }[]
  events: string[]
  leave(): void
}

async function openTab(key = adminKey): Promise<Tab> {
  const stop = new AbortController()
  const request = new Request('http://localhost/api/queues/live', {
    headers: bearer(key),
    signal: stop.signal,
  })
  const response = await one.app.handle(request)
  expect(response.headers.get('content-type')).toStartWith('text/event-stream')
  const tab: Tab = { boards: [], events: [], leave: () => void reader?.cancel() }
  const parser = sseParser(({ event, data }) => {
    tab.events.push(event ?? '')
    if (event === 'board') tab.boards.push(JSON.parse(data))
  })
  const reader = response.body?.getReader()
  void (async () => {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
      if (done || value === undefined) return
      parser.push(value)
    }
  })()
  return tab
}

test('Q8: twenty open tabs cost one look at the broker', async () => {
  const tabs = await Promise.all(Array.from({ length: 20 }, () => openTab()))
  await until('all have the board', () => tabs.every(({ boards }) => boards.length > 0))
  const from = one.board.live.looks()
  const seen = tabs.map(({ boards }) => boards.length)
  await until('all were told five times', () =>
    tabs.every(({ boards }, n) => boards.length >= (seen[n] ?? 0) + 5),
  )
  const most = Math.max(...tabs.map(({ boards }, n) => boards.length - (seen[n] ?? 0)))
  expect(one.board.live.looks() - from).toBeLessThanOrEqual(most + 1)

  await one.broker.producer(one.queue).enqueue(note('x'), { id: 'new' })
  await until('all see the new job', () =>
    tabs.every(
      ({ boards }) => boards.at(-1)?.queues.find(({ name }) => name === one.queue.name)?.counts.waiting === 1,
    ),
  )
  for (const tab of tabs) tab.leave()
  await until('nobody looks any more', async () => {
    const before = one.board.live.looks()
    await Bun.sleep(120) // more than two looks would take
    return one.board.live.looks() === before
  })
})

test('a tab whose key is revoked is told so, and shown no more', async () => {
  const key = await one.keyWith(['read'])
  const tab = await openTab(key)
  await until('it has the board', () => tab.boards.length > 0)
  await one.sql`update access_keys set revoked_at = now() where scopes = '{read}'`
  await one.access.refresh()
  await until('it is closed', () => tab.events.at(-1) === 'closed')
})
