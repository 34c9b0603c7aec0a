import { type Json, object, objects } from '../dialects/json.ts'
import type { ChatDialect } from './model.ts'

/**
 * Has an object what makes it an answer of that dialect, be it empty? What is none must not become an answer that
 * says nothing.
 */
export function isAnswer(body: Json, dialect: ChatDialect): boolean {
  switch (dialect) {
    case 'anthropic':
      return Array.isArray(body.content)
    case 'openai-chat':
      return objects(body.choices).length > 0
    case 'openai-responses':
      return Array.isArray(body.output)
    case 'gemini':
      // Where nothing was said at all, the counts stand alone.
      return [body.promptFeedback, body.usageMetadata].some(object) || Array.isArray(body.candidates)
  }
}
