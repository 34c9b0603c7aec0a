import type { Json } from '../../dialects/json.ts'
import type { Context, StreamWriter } from '../codec.ts'
import type { StreamEvent } from '../events.ts'
import type { Counts, ModelError, Stop } from '../model.ts'
import { cut, ending, envelope, usageOf } from './answer.ts'
import { type ItemWriter, itemWriter } from './stream-items.ts'

export function streamWriter(context: Context): StreamWriter {
  const items: Json[] = []
  let head: Json = envelope({ id: '', model: '' }, context)
  let id = ''
  let sequence = -1
  let item: ItemWriter | null = null
  let usage: Counts | null = null
  let stop: Stop = 'end'

  function send(events: readonly Json[]): string {
    return events.map(named).join('')
  }

  function named(event: Json): string {
    sequence += 1
    return `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: sequence })}\n\n`
  }

  function closed(): Json[] {
    const { events, item: whole } = item?.close() ?? { events: [], item: null }
    if (whole !== null) items.push(whole)
    item = null
    return events
  }

  function end(): string {
    const how = ending(stop)
    const response = { ...head, ...how, output: cut(items, how), usage: usageOf(usage) }
    return send([{ type: `response.${how.status}`, response }])
  }

  function fail({ code, message }: ModelError): string {
    const error = { code: code.replaceAll('-', '_'), message }
    const response = { ...head, status: 'failed', error, output: items, usage: usageOf(usage) }
    return send([...closed(), { type: 'response.failed', response }])
  }

  return {
    write(event: StreamEvent): string {
      switch (event.type) {
        case 'start': {
          id = event.id
          head = envelope(event, context)
          const response = { ...head, status: 'in_progress', output: [], usage: null }
          return send([
            { type: 'response.created', response },
            { type: 'response.in_progress', response },
          ])
        }
        case 'open':
          item = itemWriter(event.block, { index: items.length, id: `${id}_${items.length}`, context })
          return send(item.open())
        case 'delta':
          return send(item?.delta(event.text) ?? [])
        case 'seal':
          item?.seal(event.seal)
          return ''
        case 'close':
          return send(closed())
        case 'usage':
          usage = event.usage
          return ''
        case 'stop':
          stop = event.stop
          return ''
        case 'ping':
          return ': ping\n\n'
        case 'error':
          return fail(event.error)
        case 'end':
          return end()
      }
    },
  }
}
