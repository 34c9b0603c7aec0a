import { type Fields, isFields, listOf, parse } from './fields.ts'

/** Larger sides are stored like any other, but not read: their parse would hold the worker up. */
const readableBytes = 32 * 1024 * 1024

/**
 * The messages among recorded bytes, in their order, whatever they travelled as: a JSON body (also a batch), lines of
 * JSON, the lines of a spied connection, events. What breaks off is left out. Never throws.
 */
export function framesIn(bytes: Uint8Array): Fields[] {
  if (bytes.length === 0 || bytes.length > readableBytes) return []
  const text = new TextDecoder().decode(bytes).trim()
  if (!text.startsWith('{') && !text.startsWith('['))
    return eventsIn(`${text}\n\n`).flatMap(({ data }) => messages(data))
  const whole = parse(text)
  return whole === undefined ? text.split('\n').flatMap(messages) : opened(whole)
}

export type RecordedEvent = { id: string | null; data: string }

/** The events of a `text/event-stream` that are whole: after the last empty line there is none. */
export function eventsIn(text: string): RecordedEvent[] {
  const blocks = text.replaceAll(/\r\n?/g, '\n').split('\n\n').slice(0, -1)
  return blocks.flatMap((block) => {
    const lines = block.split('\n')
    const data = lines.flatMap((line) => fieldValue(line, 'data') ?? [])
    const id = lines.flatMap((line) => fieldValue(line, 'id') ?? []).at(-1) ?? null
    return data.length === 0 ? [] : [{ id, data: data.join('\n') }]
  })
}

function fieldValue(line: string, field: string): string | null {
  if (line !== field && !line.startsWith(`${field}:`)) return null
  return line.slice(field.length + 1).replace(/^ /, '')
}

function messages(line: string): Fields[] {
  return line.trim() === '' ? [] : opened(parse(line))
}

/** A batch is opened, and so is the line that a spy wrote about a frame. */
function opened(value: unknown): Fields[] {
  if (Array.isArray(value)) return listOf(value)
  if (!isFields(value)) return []
  if (!('jsonrpc' in value) && typeof value.n === 'number' && 'from' in value) {
    return typeof value.text === 'string' ? opened(parse(value.text)) : []
  }
  return [value]
}
