import { afterAll, expect, test } from 'bun:test'
import type { Answer } from '../../../src/mcp/wire/message.ts'
import { openGate } from '../../support/gate.ts'
import { until } from '../../support/until.ts'
import { rawHttp } from '../fixtures/raw-http.ts'
import { rawSse, rawWebSocket } from '../fixtures/raw-socket.ts'
import { callTool, specOf, stdioSpec, type TestUpstreams, testUpstreams } from './support.ts'

const upstreams: TestUpstreams = testUpstreams({ limits: { healthMs: 50, pingMs: 500 } })
afterAll(() => upstreams.close())

const timeout = -31_002
const flaps = 12

test.each([
  ['http', 'modern'],
  ['http', 'legacy'],
  ['sse', 'legacy'],
  ['ws', 'modern'],
] as const)(
  'C6: every call ends at once, whenever the connection breaks: %s, %s',
  async (transport, era) => {
    const server = { http: rawHttp, sse: rawSse, ws: rawWebSocket }[transport]({ era })
    const gate = openGate(Number(new URL(server.url).port))
    const url = new URL(server.url)
    url.port = String(gate.port)
    const upstream = upstreams.get(specOf({ transport, url: url.href }))
    const answers = await underCalls(
      () => callTool(upstream, 'echo', {}, { timeoutMs: 4_000 }),
      async (answered) => {
        for (let flap = 0; flap < flaps; flap += 1) {
          await answered()
          gate.shut()
          await answered()
          gate.open()
        }
      },
    )
    expect(codesOf(answers)).not.toContain(timeout)
    await until('it answers again', async () => 'result' in (await callTool(upstream, 'echo')))
    await upstream.close()
    gate.close()
    await server.stop()
  },
  30_000,
)

test('C6: every call ends at once, whenever the process is killed', async () => {
  const upstream = upstreams.get(stdioSpec())
  const answers = await underCalls(
    () => callTool(upstream, 'echo', {}, { timeoutMs: 4_000 }),
    async (answered) => {
      for (let kill = 0; kill < flaps; kill += 1) {
        await until('it runs', () => upstream.state().pid !== null)
        await answered()
        const { pid } = upstream.state()
        if (pid !== null) process.kill(pid, 'SIGKILL')
      }
    },
  )
  expect(codesOf(answers)).not.toContain(timeout)
  await until('it answers again', async () => 'result' in (await callTool(upstream, 'echo')))
  await upstream.close()
}, 30_000)

/** Calls from eight sides while something is done to the server, and a little longer. */
async function underCalls(
  call: () => Promise<Answer>,
  work: (answered: () => Promise<void>) => Promise<void>,
): Promise<Answer[]> {
  const answers: Answer[] = []
  let over = false
  const callers = Array.from({ length: 8 }, async () => {
    while (!over) {
      answers.push(await call())
      // Refusals come at once: the loop must let others do something.
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  await work(async () => {
    const before = answers.length
    await until('calls are answered', () => answers.length > before + 8)
  })
  over = true
  await Promise.all(callers)
  return answers
}

function codesOf(answers: Answer[]): (number | null)[] {
  return [...new Set(answers.map((answer) => ('error' in answer ? answer.error.code : null)))]
}
