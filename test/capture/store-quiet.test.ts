import { expect, test } from 'bun:test'
import { quietTimes } from '../../src/capture/storing/quiet.ts'

const longMs = 60_000

test('work that goes on at once is no pause, and the end of all of it is one', async () => {
  const quiet = quietTimes()
  const order: string[] = []
  const first = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  const work = quiet.during(() => first.promise)
  const paused = quiet.pause(longMs).then(() => order.push('pause'))
  first.resolve()
  await work
  const next = quiet.during(() => second.promise)
  // Longer than the moment that a pause takes.
  setTimeout(() => {
    order.push('next')
    second.resolve()
  }, 60)
  await Promise.all([next, paused])
  expect(order).toEqual(['next', 'pause'])
})

test('nothing waits where nothing ran, or for ever', async () => {
  const quiet = quietTimes()
  await quiet.pause(longMs)
  const never = Promise.withResolvers<void>()
  const work = quiet.during(() => never.promise)
  await quiet.pause(10)
  never.resolve()
  await work
  await quiet.pause(longMs)
})
