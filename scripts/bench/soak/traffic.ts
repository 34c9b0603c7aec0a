import { agentConversation } from '../agent-conversation.ts'
import { callFrame, modernHeaders } from '../mcp/frames.ts'
import { chatRequest, random } from '../payloads.ts'
import { auth } from '../record.ts'
import type { RunningSluice } from '../sluice.ts'

/** What one client does once, and which share of all it is. Resolves with whether it went as it should. */
type Act = { name: string; share: number; run: () => Promise<boolean> }

export type Traffic = {
  /** How often each was done, and how often not as it should. */
  counts(): Record<string, { done: number; wrong: number }>
  underWay(): number
  /** Begins nothing more; resolves when all has ended. */
  stop(): Promise<void>
}

/** Past this many at once nothing more is begun: the product does not keep up. */
const mostUnderWay = 2_000
const agents = 6
const turnsOfAgent = 20

/** Mixed calls of many clients, that many a second, evenly spread. */
export function startTraffic(sluice: RunningSluice, rate: number): Traffic {
  const acts = actsOf(sluice)
  const next = random(11)
  const counts = Object.fromEntries(acts.map(({ name }) => [name, { done: 0, wrong: 0 }]))
  const running = new Set<Promise<void>>()
  const all = acts.reduce((sum, { share }) => sum + share, 0)
  const began = performance.now()
  let begun = 0
  const timer = setInterval(() => {
    const due = ((performance.now() - began) * rate) / 1_000
    for (; begun < due; begun++) if (running.size < mostUnderWay) begin(choose())
  }, 1_000 / rate)

  function choose(): Act | undefined {
    let left = next() * all
    return acts.find(({ share }) => {
      left -= share
      return left < 0
    })
  }

  function begin(act: Act | undefined): void {
    const count = counts[act?.name ?? '']
    if (act === undefined || count === undefined) return
    const run = act
      .run()
      .catch(() => false)
      .then((right) => {
        count.done += 1
        if (!right) count.wrong += 1
        running.delete(run)
      })
    running.add(run)
  }

  return {
    counts: () => counts,
    underWay: () => running.size,
    async stop() {
      clearInterval(timer)
      await Promise.all(running)
    },
  }
}

function actsOf(sluice: RunningSluice): Act[] {
  const { url } = sluice
  const admin = auth(sluice)
  let number = 0
  const chat = (headers: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer bench', 'content-type': 'application/json', ...headers },
      body: chatRequest(400, ++number),
      ...(signal === undefined ? {} : { signal }),
    })
  const frames = (count: number) => ({ 'x-bench-frames': String(count), 'x-bench-frame-ms': '20' })
  const agent = agentTurns()
  return [
    { name: 'small', share: 46, run: async () => await answered(await chat(), 200) },
    { name: 'stream', share: 20, run: async () => await answered(await chat(frames(30)), 200) },
    {
      name: 'agent turn',
      share: 14,
      async run() {
        const headers = { 'x-api-key': 'bench', 'content-type': 'application/json' }
        return await answered(
          await fetch(`${url}/v1/messages`, { method: 'POST', headers, body: agent() }),
          200,
        )
      },
    },
    { name: 'hang-up', share: 5, run: async () => await hungUp(chat, frames(100)) },
    {
      name: 'upstream error',
      share: 3,
      run: async () => await answered(await chat({ 'x-bench-status': '500' }), 500),
    },
    {
      name: 'broken stream',
      share: 1,
      async run() {
        const answer = await chat({ ...frames(10), 'x-bench-break': '1' })
        return await answer.text().then(
          () => false,
          () => true,
        )
      },
    },
    { name: 'tool call', share: 7, run: async () => await toolCalled(url, admin, ++number) },
    { name: 'session', share: 1, run: async () => await sessionHeld(url, admin) },
    {
      name: 'job',
      share: 1,
      async run() {
        const body = { model: 'bench', messages: [{ role: 'user', content: `Job ${++number}` }] }
        const input = { path: '/v1/chat/completions', body }
        const job = JSON.stringify({ kind: 'http-request', input })
        return await answered(
          await fetch(`${url}/api/jobs`, { method: 'POST', headers: admin, body: job }),
          202,
        )
      },
    },
    {
      name: 'read',
      share: 2,
      async run() {
        const path = reads[++number % reads.length] ?? ''
        return await answered(await fetch(url + path, { headers: admin }), 200)
      },
    },
  ]
}

const reads = ['/api/exchanges?limit=20', '/api/conversations?limit=20', '/api/jobs?limit=20', '/metrics']

async function answered(answer: Response, status: number): Promise<boolean> {
  await answer.arrayBuffer()
  return answer.status === status
}

/** Goes away in the middle of a stream. */
async function hungUp(
  chat: (headers: Record<string, string>, signal: AbortSignal) => Promise<Response>,
  headers: Record<string, string>,
): Promise<boolean> {
  const client = new AbortController()
  const answer = await chat(headers, client.signal)
  const reader = answer.body?.getReader()
  for (let chunks = 0; chunks < 5; chunks++) await reader?.read()
  client.abort()
  return answer.status === 200
}

async function toolCalled(url: string, admin: Record<string, string>, number: number): Promise<boolean> {
  const tool = 'bench__echo'
  const answer = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { ...modernHeaders('tools/call', tool), ...admin, 'content-type': 'application/json' },
    body: callFrame(tool, { ms: 20, number: String(number) }),
  })
  return (await answer.text()).includes('"result"')
}

/** A client of 2025-11-25: begins a session, calls a tool, ends it. */
async function sessionHeld(url: string, admin: Record<string, string>): Promise<boolean> {
  const accept = 'application/json, text/event-stream'
  let session: Record<string, string> = {}
  const send = async (method: string, body?: object) => {
    const headers = { accept, 'content-type': 'application/json', ...admin, ...session }
    const message = body === undefined ? {} : { body: JSON.stringify({ jsonrpc: '2.0', ...body }) }
    const answer = await fetch(`${url}/mcp`, { method, headers, ...message })
    return { answer, text: await answer.text() }
  }
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  }
  const { answer } = await send('POST', { id: 1, method: 'initialize', params })
  session = { 'mcp-session-id': answer.headers.get('mcp-session-id') ?? '' }
  await send('POST', { method: 'notifications/initialized' })
  const call = { name: 'bench__echo', arguments: { number: '1' } }
  const { text } = await send('POST', { id: 2, method: 'tools/call', params: call })
  await send('DELETE')
  return text.includes('"result"')
}

/** Some agents in turn, each with the whole of its conversation; one that is through is followed by a new one. */
function agentTurns(): () => string {
  let seed = 0
  let turn = 0
  const desks: { request: string }[][] = Array.from({ length: agents }, () => [])
  return () => {
    const at = turn++ % agents
    const desk = desks[at]?.length ? desks[at] : agentConversation(turnsOfAgent, ++seed)
    desks[at] = desk
    return desk.shift()?.request ?? ''
  }
}
