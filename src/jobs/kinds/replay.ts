import { z } from 'zod'
import { defineKind, type Kind } from '../kind.ts'
import { failedCall } from './failed-call.ts'

const name = z.string().min(1).max(200)
const input = z.strictObject({
  exchange_id: z.uuid(),
  model: name.optional().meta({ description: 'Instead of the recorded one' }),
  provider: name.optional().meta({ description: 'Instead of the recorded one' }),
})

const result = z.object({
  status: z.int(),
  exchange_id: z.string().nullable().meta({ description: 'The new exchange' }),
  replay_of: z.string(),
  bytes: z.int(),
})

/** A recorded request, sent again. */
export function replay(): Kind {
  return defineKind({
    name: 'replay',
    summary: 'Sends the request of a recorded exchange again, as a new exchange',
    ...{ input, result, defaults: { attempts: 3 }, needs: ['replay'] },
    async run({ exchange_id, ...asked }, { call, signal }) {
      const path = `/api/exchanges/${exchange_id}/replay`
      const headers = { 'content-type': 'application/json' }
      const answer = await call(path, { method: 'POST', headers, body: JSON.stringify(asked), signal })
      if (answer.status >= 400) throw await failedCall(`replay exchange ${exchange_id}`, answer)
      let bytes = 0
      for await (const piece of answer.body ?? []) bytes += piece.length
      const made = answer.headers.get('sluice-exchange')
      return { status: answer.status, exchange_id: made, replay_of: exchange_id, bytes }
    },
  })
}
