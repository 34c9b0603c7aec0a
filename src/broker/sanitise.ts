import { UnrecoverableError } from 'bullmq'
import { cleanText, errorText } from '#lib/errors'
import { FinalJobError } from './errors.ts'

/** Of a result's JSON, in UTF-16 units. A result is for people to look at; what is larger belongs in a table. */
const resultLimit = 64 * 1024
const stackLimit = 4_000

/**
 * A handler's result as both engines can store it. On Postgres a NUL in a result fails a job that has done its
 * work, and one in an error leaves the job stuck in `active`.
 */
export function storableResult(value: unknown): unknown {
  try {
    const text = JSON.stringify(value)
    if (text === undefined) return null
    if (text.length > resultLimit) return { omitted: 'too large', characters: text.length }
    return cleanJson(JSON.parse(text))
  } catch (error) {
    return { omitted: errorText(error, 200) }
  }
}

/** A fresh error: BullMQ acts on an error's name and message, so a handler's own must not reach it. */
export function storableError(error: unknown): Error {
  const text = errorText(error)
  const stored = isFinal(error) ? new UnrecoverableError(text) : new Error(text)
  const stack = error instanceof Error ? error.stack : undefined
  if (stack !== undefined) stored.stack = cleanText(stack.slice(0, stackLimit))
  return stored
}

export function isFinal(error: unknown): boolean {
  return error instanceof FinalJobError || error instanceof UnrecoverableError
}

function cleanJson(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value)
  if (Array.isArray(value)) return value.map(cleanJson)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), cleanJson(inner)]))
}
