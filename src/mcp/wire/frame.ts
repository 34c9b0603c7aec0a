import type { Answer, Id, Message, RawJson, RpcError } from './message.ts'
import { memberOf } from './raw-json.ts'

/** Reads one JSON-RPC 2.0 message; null where the text is none. A message without params has `{}`. */
export function readFrame(text: string): Message | null {
  const value = parsed(text)
  if (!isObject(value) || value.jsonrpc !== '2.0') return null
  const { id, method } = value
  if (typeof method === 'string') {
    const params = memberOf(text, 'params') ?? '{}'
    if (id === undefined) return { kind: 'notification', method, params }
    return isId(id) ? { kind: 'request', id, method, params } : null
  }
  const answer = answerOf(value, text)
  if (answer === null) return null
  if (isId(id)) return { kind: 'response', id, answer }
  return 'error' in answer && (id === null || id === undefined)
    ? { kind: 'response', id: null, answer }
    : null
}

export function isJson(text: string): boolean {
  return parsed(text) !== null || text.trim() === 'null'
}

export function requestFrame(id: Id, method: string, params: RawJson): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":${JSON.stringify(method)},"params":${oneLine(params)}}`
}

export function notificationFrame(method: string, params: RawJson): string {
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${oneLine(params)}}`
}

export function responseFrame(id: Id | null, answer: Answer): string {
  const body =
    'result' in answer ? `"result":${oneLine(answer.result)}` : `"error":${errorJson(answer.error)}`
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${body}}`
}

/** Line breaks in JSON are blanks between its parts: inside strings they are escaped. */
export function oneLine(json: RawJson): RawJson {
  return json.includes('\n') || json.includes('\r') ? json.replaceAll(/[\r\n]/g, ' ') : json
}

function errorJson({ code, message, data }: RpcError): string {
  const tail = data === undefined ? '' : `,"data":${oneLine(data)}`
  return `{"code":${code},"message":${JSON.stringify(message)}${tail}}`
}

function answerOf(value: Fields, text: string): Answer | null {
  const { error } = value
  if (value.result !== undefined) return { result: memberOf(text, 'result') ?? 'null' }
  if (!isObject(error) || typeof error.code !== 'number' || typeof error.message !== 'string') return null
  const data = memberOf(memberOf(text, 'error') ?? '{}', 'data')
  return { error: { code: error.code, message: error.message, ...(data === null ? {} : { data }) } }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

type Fields = { [name in 'jsonrpc' | 'id' | 'method' | 'result' | 'error' | 'code' | 'message']?: unknown }

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a double cannot hold would come back as another number, and nobody would know the answer. */
function isId(value: unknown): value is Id {
  return (
    typeof value === 'string' || (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER)
  )
}
