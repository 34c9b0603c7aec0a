import { z } from 'zod'
import { sseParser } from '#lib/sse'
import { defineKind, type Kind } from '../kind.ts'
import { failedCall } from './failed-call.ts'

const name = z.string().max(264)
const input = z.strictObject({
  prompt: z.string().min(1),
  system: z.string().optional(),
  models: z.array(name).min(1).max(64).optional().meta({ description: 'Default: those that were set' }),
  max_tokens: z.int().min(1).max(128_000).optional(),
  temperature: z.number().min(0).max(2).optional(),
  timeout_seconds: z.int().min(1).max(1_800).optional().meta({ description: 'For each model' }),
  files: z.array(z.json()).max(10).optional().meta({ description: 'As POST /api/orchestra takes them' }),
  consensus: z.strictObject({ k: z.int().min(1).optional(), judge: name.optional() }).optional(),
  summary: z.strictObject({ model: name.optional() }).optional(),
})

const outcome = z.looseObject({ results: z.array(z.looseObject({ model: z.string(), status: z.string() })) })

/** One prompt to many models. One that fails has its reason beside the answers of the others. */
export function orchestra(): Kind {
  return defineKind({
    name: 'orchestra',
    summary: 'Sends one prompt to many models, as POST /api/orchestra does',
    ...{ input, result: outcome, defaults: { timeoutMs: 2_400_000 } },
    async run(asked, { call, signal, progress, log }) {
      const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
      const answer = await call('/api/orchestra', {
        method: 'POST',
        headers,
        body: JSON.stringify(asked),
        signal,
      })
      if (!answer.ok) throw await failedCall('orchestra', answer)
      let models = 1
      let answered = 0
      let done: unknown
      let failed: string | null = null
      const parser = sseParser(({ event, data }) => {
        if (event === 'started') models = Math.max(1, (JSON.parse(data).models ?? []).length)
        if (event === 'result') {
          const { model, status } = JSON.parse(data).result ?? JSON.parse(data)
          answered++
          log(`${model}: ${status}`)
          progress(answered / models, `${answered} of ${models} models`)
        }
        if (event === 'done') done = JSON.parse(data)
        if (event === 'error') failed = data
      })
      for await (const piece of answer.body ?? []) parser.push(piece)
      parser.end()
      if (done === undefined)
        throw new Error(`orchestra: it broke off${failed === null ? '' : `: ${failed}`}`)
      return done
    },
  })
}
