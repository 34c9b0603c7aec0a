import { codes, rpcError } from '../wire/codes.ts'
import { readFrame } from '../wire/frame.ts'
import type { Message } from '../wire/message.ts'
import { elementsOf } from '../wire/raw-json.ts'
import { invalidRequest, Refusal } from './refusal.ts'

export function isBatch(body: string): boolean {
  return /^\s*\[/.test(body)
}

/**
 * The messages of a batch, which only revision 2025-03-26 has.
 * @throws Refusal 400 where there are none, one is no message, or one may not be part of a batch
 */
export function readBatch(body: string): Message[] {
  try {
    JSON.parse(body)
  } catch {
    throw new Refusal(400, rpcError(codes.parseError, 'Parse error: the body is not valid JSON'))
  }
  const messages = elementsOf(body).map(readFrame)
  if (messages.length === 0) throw invalidRequest(400, 'empty-batch', 'Invalid Request: the batch is empty')
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
