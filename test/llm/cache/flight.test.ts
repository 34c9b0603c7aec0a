import { describe, expect, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { asked, cacheGateway, message, stream, streamFrames } from './support.ts'

const on = { headers: { 'sluice-cache': 'on' } }
const text = async (answer: Response | Promise<Response>) => (await answer).text()

describe('equal requests under way', () => {
  test('ask once, and all get the answer', async () => {
    const open = Promise.withResolvers<void>()
    const gateway = cacheGateway(async (count) => {
      await open.promise
      return message(`answer ${count}`)
    })
    const states: (string | null)[] = []
    const read = async (answer: Response) => {
      states.push(answer.headers.get('sluice-cache'))
      return await answer.text()
    }
    const answers = Array.from({ length: 20 }, () => gateway.post(asked, on).then(read))
    await until('the upstream is asked', () => gateway.asked() === 1)
    open.resolve()
    expect(new Set(await Promise.all(answers)).size).toBe(1)
    expect(gateway.asked()).toBe(1)
    expect(states.filter((state) => state === 'shared').length).toBe(19)
    expect(gateway.sealed.filter(({ cache }) => cache === 'shared').length).toBe(19)
  })

  test('share a stream from its first byte, also who comes in the middle', async () => {
    const gates = Array.from({ length: 6 }, () => Promise.withResolvers<void>())
    const gateway = cacheGateway(() =>
      stream(streamFrames, (index) => gates[index]?.promise ?? Promise.resolve()),
    )
    const leader = text(gateway.post({ ...asked, stream: true }, on))
    await until('the upstream is asked', () => gateway.asked() === 1)
    const early = gateway.post({ ...asked, stream: true }, on)
    gates[0]?.resolve()
    const reader = (await early).body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(streamFrames[0] ?? '')
    gates[1]?.resolve()
    const late = gateway.post({ ...asked, stream: true }, on)
    expect((await late).headers.get('sluice-cache')).toBe('shared')
    const lateText = text(late)
    for (const gate of gates) gate.resolve()
    expect(await leader).toBe(streamFrames.join(''))
    expect(await lateText).toBe(streamFrames.join(''))
    expect(gateway.asked()).toBe(1)
  })

  test('a leader that fails lets the others go themselves', async () => {
    const open = Promise.withResolvers<void>()
    const gateway = cacheGateway(async (count) => {
      if (count > 1) return message(`answer ${count}`)
      await open.promise
      return Response.json({ type: 'error', error: { type: 'overloaded_error' } }, { status: 529 })
    })
    const leader = gateway.post(asked, on)
    await until('the upstream is asked', () => gateway.asked() === 1)
    const others = [gateway.post(asked, on), gateway.post(asked, on)]
    open.resolve()
    expect((await leader).status).toBe(529)
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200])
    expect(gateway.asked()).toBe(3)
  })

  test('a leader that breaks off breaks what it shares, and who got nothing yet goes alone', async () => {
    const cut = Promise.withResolvers<void>()
    const body = (count: number) =>
      new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            if (count > 1) {
              controller.enqueue(Buffer.from(JSON.stringify({ type: 'message', content: [] })))
              return controller.close()
            }
            await cut.promise
            controller.error(new Error('gone'))
          },
        },
        { highWaterMark: 0 },
      )
    const gateway = cacheGateway(
      (count) => new Response(body(count), { headers: { 'content-type': 'application/json' } }),
    )
    const leader = text(gateway.post(asked, on)).catch((error) => error.message)
    await until('the upstream is asked', () => gateway.asked() === 1)
    const other = text(gateway.post(asked, on))
    cut.resolve()
    expect(await leader).toBe('gone')
    expect(await other).toContain('message')
  })

  test('a stream that its leader loses breaks off, recorded as such', async () => {
    const gates = [Promise.resolve(), Promise.withResolvers<void>()] as const
    const gateway = cacheGateway(() =>
      stream(streamFrames, (index) =>
        index === 0 ? gates[0] : gates[1].promise.then(() => Promise.reject(new Error('gone'))),
      ),
    )
    const leader = await gateway.post({ ...asked, stream: true }, on)
    const leading = text(leader).catch(() => 'broken')
    await until('the upstream is asked', () => gateway.asked() === 1)
    const follower = await gateway.post({ ...asked, stream: true }, on)
    const following = text(follower).catch(() => 'broken')
    gates[1].resolve()
    expect(await leading).toBe('broken')
    expect(await following).toBe('broken')
    await until('both are sealed', () => gateway.sealed.length === 2)
    expect(gateway.sealed.map(({ outcome }) => outcome)).toEqual(['upstream_gone', 'upstream_gone'])
  })

  test('a client that leaves while it waits is let go', async () => {
    const gateway = cacheGateway(() => new Promise<Response>(() => {}))
    void gateway.post(asked, on)
    await until('the upstream is asked', () => gateway.asked() === 1)
    const leaving = new AbortController()
    const waiting = gateway.post(asked, { ...on, signal: leaving.signal })
    leaving.abort(new Error('the client left'))
    await expect(waiting).rejects.toThrow('the client left')
  })

  test('an answer too large to keep still reaches all who shared it from the start', async () => {
    const frames = [
      ...streamFrames.slice(0, 2),
      ...Array.from({ length: 50 }, () => `: ${'x'.repeat(1000)}\n\n`),
      ...streamFrames.slice(2),
    ]
    const gate = Promise.withResolvers<void>()
    const gateway = cacheGateway(() => stream(frames, () => gate.promise), { maxAnswerBytes: 20_000 })
    const leader = text(gateway.post({ ...asked, stream: true }, on))
    await until('the upstream is asked', () => gateway.asked() === 1)
    const follower = text(gateway.post({ ...asked, stream: true }, on))
    gate.resolve()
    expect(await leader).toBe(frames.join(''))
    expect(await follower).toBe(frames.join(''))
    expect(gateway.states).not.toContain('stored')
  })
})
