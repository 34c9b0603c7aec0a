import { z } from 'zod'
import { defineTool, type Tool } from '#access'
import { dateTime, word } from '#lib/fields'
import { exchangeText, shownLength } from '../reading/exchange-text.ts'
import { findExchange, listExchanges } from '../reading/exchanges.ts'
import { findRecorded, recordedHeaders } from '../reading/raw.ts'
import { reach } from '../reading/reach.ts'
import { replayExchange } from '../reading/replay.ts'
import { searchTurns } from '../reading/search.ts'
import { id, limit } from '../tool-input.ts'
import type { CaptureToolsOptions } from '../tools.ts'

const reads = { scope: 'read', readOnly: true } as const
const cursor = z.string().max(500).optional().meta({ description: 'The next_cursor of the answer before' })
const range = { since: dateTime.optional(), until: dateTime.optional() }

const listInput = z.strictObject({
  ...range,
  model: word.optional().meta({ description: 'The model asked for, or the one that served' }),
  provider: word.optional(),
  status: z
    .string()
    .regex(/^[1-5](\d\d|xx)$/, 'must be a status as in 404, or a class as in 4xx')
    .optional(),
  conversation: id.optional(),
  tag: z.array(word).max(20).optional().meta({ description: 'Each must be there' }),
  limit: limit(100, 20),
  cursor,
})

/** Single calls on the record: looked up, and sent again. */
export function exchangeTools({ reading, replay, speaks }: CaptureToolsOptions): Tool[] {
  return [
    defineTool({
      name: 'list_exchanges',
      title: 'List exchanges',
      description:
        'Recorded calls with their status, tokens, cost and times, the latest first. Without their bodies.',
      input: listInput,
      ...reads,
      run: ({ limit: most, cursor: position, ...filters }, { principal }) =>
        reading.read((sql) =>
          listExchanges(
            sql,
            { ...filters, tenant: reach(principal, undefined) },
            { limit: most, cursor: position },
          ),
        ),
    }),
    defineTool({
      name: 'get_exchange',
      title: 'Get an exchange',
      description: `One recorded call with its headers, and with body also what was sent or received: the first ${shownLength} characters from offset on, decompressed; base64 where it is no text.`,
      input: z.strictObject({
        exchange_id: id,
        body: z.enum(['none', 'request', 'response'], 'must be none, request or response').default('none'),
        offset: z.int().min(0).default(0).meta({ description: 'In bytes' }),
      }),
      ...reads,
      async run({ exchange_id: exchange, body, offset }, { principal }) {
        const tenant = reach(principal, undefined)
        return await reading.read(async (sql) => {
          const found = {
            ...(await findExchange(sql, exchange, tenant)),
            ...(await recordedHeaders(sql, exchange)),
          }
          if (body === 'none') return found
          const recorded = await findRecorded(sql, { id: exchange, tenant })
          return { ...found, body: await exchangeText(recorded, body, offset) }
        })
      },
    }),
    defineTool({
      name: 'search_exchanges',
      title: 'Search exchanges',
      description: 'Finds the calls in which words were first said: full-text search, the latest first.',
      input: z.strictObject({
        query: z.string().min(1).max(1_000),
        ...range,
        model: word.optional(),
        limit: limit(100, 20),
        cursor,
      }),
      ...reads,
      async run({ query, limit: most, cursor: position, ...filters }, { principal }) {
        const asked = { q: query, ...filters, tenant: reach(principal, undefined) }
        const page = await reading.read((sql) => searchTurns(sql, asked, { limit: most, cursor: position }))
        return {
          items: page.items.map(({ exchange_id, conversation_id, number, role, at, snippet }) => ({
            ...{ exchange_id, conversation_id, turn: number, role, at, snippet },
          })),
          next_cursor: page.next_cursor,
        }
      },
    }),
    defineTool({
      name: 'replay_exchange',
      title: 'Replay an exchange',
      description:
        'Sends a recorded request again, as a new exchange, to the same model or another: it may cost what it did. The answer is what the model says now.',
      input: z.strictObject({ exchange_id: id, model: word.optional(), provider: word.optional() }),
      ...{ scope: 'replay', readOnly: false },
      async run({ exchange_id: exchange, ...asked }, { principal, signal }) {
        const request = new Request('http://gateway/', { signal, headers: { 'accept-encoding': 'identity' } })
        const wired = { reading, replay, principal, request, ...(speaks === undefined ? {} : { speaks }) }
        const response = await replayExchange(exchange, wired, asked)
        const text = await response.text()
        return {
          replay_of: exchange,
          exchange_id: response.headers.get('sluice-exchange'),
          status: response.status,
          response: text.slice(0, shownLength),
          truncated: text.length > shownLength,
        }
      },
    }),
  ]
}
