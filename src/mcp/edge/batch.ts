import { codes, rpcError } from '../wire/codes.ts'
import { isJson, readFrame } from '../wire/frame.ts'
import type { Message } from '../wire/message.ts'
import { elementsOf } from '../wire/raw-json.ts'
import { invalidRequest, Refusal } from './refusal.ts'

export function isBatch(body: string): boolean {
  return /^\s*\[/.test(body)
}

/** One body can ask for as many lists as it has messages, and all their answers are one answer. */
const mostMessages = 100

/** What of a body is a message, whether or not it is a proper batch. A null at the end stands for all that is none. */
export function messagesIn(body: string): (Message | null)[] {
  const elements = elementsOf(body)
  const messages = elements.flatMap((one) => readFrame(one) ?? [])
  return messages.length === elements.length && isJson(body) ? messages : [...messages, null]
}

/**
 * The messages of a batch, which only revision 2025-03-26 has.
 * @throws Refusal 400 where there are none, one is no message, or one may not be part of a batch; 413 for too many
 */
export function readBatch(body: string): Message[] {
  if (!isJson(body))
    throw new Refusal(400, rpcError(codes.parseError, 'Parse error: the body is not valid JSON'))
  const messages = elementsOf(body).map(readFrame)
  if (messages.length === 0) throw invalidRequest(400, 'empty-batch', 'Invalid Request: the batch is empty')
  if (messages.length > mostMessages) throw tooMany(messages.length)
  return messages.map((message) => {
    if (message === null)
      throw invalidRequest(
        400,
        'no-message',
        'Invalid Request: the batch has what is no JSON-RPC 2.0 message',
      )
    if (message.kind === 'request' && message.method === 'initialize')
      throw invalidRequest(400, 'initialize-in-batch', 'Invalid Request: initialize may not be in a batch')
    return message
  })
}

function tooMany(found: number): Refusal {
  const message = `Invalid Request: the batch has ${found} messages, the limit is ${mostMessages}`
  return new Refusal(
    413,
    rpcError(codes.invalidRequest, message, { reason: 'batch-too-large', limit: mostMessages }),
  )
}
