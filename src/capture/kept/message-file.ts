import { join } from 'node:path'
import { z } from 'zod'
import { readAllowedFile } from '#lib/allowed-file'
import { SluiceError } from '#lib/errors'
import { content, type Message, message, mostMessages, role } from './message.ts'

const mostBytes = 64 * 1024 * 1024

/** A line of a Claude Code session: the message is inside; what is no message (summaries, snapshots) has none. */
const sessionLine = z.object({
  message: z.object({ role, content }),
  timestamp: z.string().max(64).optional(),
  uuid: z.string().max(64).optional(),
})

/**
 * The messages of a file in the tenant's own folder.
 * @throws SluiceError as `readAllowedFile`; 422 where a line is no message, with its number
 */
export async function readMessageFile(folder: string, tenant: string, name: string): Promise<Message[]> {
  const bytes = await readAllowedFile(join(folder, tenant), name, mostBytes)
  const messages = messagesIn(decode(bytes, name), name)
  if (messages.length === 0) throw bad(name, 'there is no message in it')
  if (messages.length > mostMessages)
    throw bad(name, `${messages.length} messages, more than ${mostMessages}`)
  return messages
}

function messagesIn(text: string, name: string): Message[] {
  const whole = parse(text)
  if (Array.isArray(whole)) return whole.map((value, index) => read(value, name, `message ${index + 1}`))
  if (isObject(whole) && Array.isArray(whole.messages)) {
    return whole.messages.map((value, index) => read(value, name, `message ${index + 1}`))
  }
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const value = parse(line)
    if (value === undefined) throw bad(name, `line ${index + 1} is no JSON`)
    const isMessage = isObject(value) && ('role' in value || 'message' in value)
    return isMessage ? [read(value, name, `line ${index + 1}`)] : []
  })
}

function read(value: unknown, name: string, where: string): Message {
  const inner = sessionLine.safeParse(value)
  if (inner.success) {
    const { message: said, timestamp, uuid } = inner.data
    const kept = {
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(uuid === undefined ? {} : { uuid }),
    }
    return Object.keys(kept).length === 0 ? said : { ...said, metadata: kept }
  }
  const plain = message.safeParse(value)
  if (plain.success) return plain.data
  const issue = plain.error.issues[0]
  throw bad(name, `${where}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is no message'}`)
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw bad(name, 'it is not UTF-8')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function bad(name: string, found: string): SluiceError {
  return new SluiceError(422, 'bad-file', `reading messages of ${name.slice(0, 200)}: ${found}`)
}
