/** Calls of a tool, alone in their process: `bun load.ts '<json>'` prints one line of JSON with what it saw. */
import { connect, prepare } from '../http-client.ts'
import { callFrame, modernHeaders } from './frames.ts'

export type McpPlan = {
  port: number
  path: string
  headers: Record<string, string>
  tool: string
  /** The tool's own time, half of it to one and a half: so calls do not come in waves. */
  ms: number
  connections: number
  seconds: number
}

/** Latencies are those beyond the tool's own time. */
export type McpLoad = { calls: number; errors: number; perSecond: number; p50Ms: number; p99Ms: number }

if (import.meta.main) console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as McpPlan)))

async function run({ port, path, headers, tool, ms, connections, seconds }: McpPlan): Promise<McpLoad> {
  const latencies: number[] = []
  let errors = 0
  const began = performance.now()
  const warm = began + 500
  const end = warm + seconds * 1_000
  const own = { ...modernHeaders('tools/call', tool), ...headers }
  const requests = Array.from({ length: 101 }, (_, at) => {
    const toolMs = Math.round(ms * (0.5 + at / 100))
    const frame = callFrame(tool, { ms: toolMs, number: '1' })
    return { ms: toolMs, bytes: prepare(path, `127.0.0.1:${port}`, own, frame) }
  })
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const connection = await connect('127.0.0.1', port)
      while (performance.now() < end) {
        let text = ''
        const request = requests[Math.floor(Math.random() * requests.length)]
        if (request === undefined) continue
        const answer = await connection.send(request.bytes, (chunk) => {
          text += Buffer.from(chunk).toString('latin1')
        })
        if (answer.status !== 200 || !text.includes('"result"')) errors += 1
        else if (performance.now() > warm) latencies.push(answer.ms - request.ms)
      }
      connection.close()
    }),
  )
  latencies.sort((a, b) => a - b)
  const quantile = (q: number) => latencies[Math.floor(latencies.length * q)] ?? 0
  return {
    ...{ calls: latencies.length, errors, perSecond: latencies.length / seconds },
    ...{ p50Ms: quantile(0.5), p99Ms: quantile(0.99) },
  }
}
