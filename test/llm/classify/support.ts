import type { RecordedExchange } from '#capture'
import { newId } from '#lib/ids'
import type { ExchangeOpen } from '../../../src/capture/exchange.ts'
import { endOf, openOf } from '../../capture/support.ts'

let clock = Date.now() - 3_600_000

/** An exchange in Anthropic's dialect, later than all before it. */
export function said(
  asked: string | string[],
  answered: string,
  changes: Partial<ExchangeOpen> & { outcome?: 'completed' | 'client_gone' } = {},
): RecordedExchange {
  clock += 10
  const { outcome = 'completed', ...open } = changes
  const turns = typeof asked === 'string' ? [asked] : asked
  const messages = turns.map((content, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content }))
  const request = Buffer.from(JSON.stringify({ model: 'mock', max_tokens: 9, messages }))
  const response = Buffer.from(
    JSON.stringify({
      ...{ type: 'message', role: 'assistant', model: 'mock', stop_reason: 'end_turn' },
      content: [{ type: 'text', text: answered }],
      usage: { input_tokens: 10, output_tokens: 5 },
    }),
  )
  return {
    open: openOf({ id: newId(clock), started_at: clock, path: '/v1/messages', tags: [], ...open }),
    end: {
      ...endOf({ ended_at: clock + 5, first_byte_at: clock + 3, outcome }),
      seq: 1,
      request_bytes: request.length,
      response_bytes: response.length,
    },
    ...{ request, response },
  }
}

export type ClassRow = {
  id: string
  task_type: string
  complexity: string
  language: string | null
  stack: string[]
  domain: string
  sensitivity: string
  source: string
}
