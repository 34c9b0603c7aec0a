import type { ChatDialect, Part, Stop } from './model.ts'

/** What each dialect calls the reason for its end. Responses says it by status and `incomplete_details`. */
const written: Record<'anthropic' | 'openai-chat' | 'gemini', Record<Stop, string>> = {
  anthropic: {
    end: 'end_turn',
    length: 'max_tokens',
    sequence: 'stop_sequence',
    tool: 'tool_use',
    refusal: 'refusal',
    pause: 'pause_turn',
    context: 'model_context_window_exceeded',
    malformed: 'end_turn',
  },
  'openai-chat': {
    end: 'stop',
    length: 'length',
    sequence: 'stop',
    tool: 'tool_calls',
    refusal: 'content_filter',
    pause: 'stop',
    context: 'length',
    malformed: 'stop',
  },
  gemini: {
    end: 'STOP',
    length: 'MAX_TOKENS',
    sequence: 'STOP',
    tool: 'STOP',
    refusal: 'SAFETY',
    pause: 'STOP',
    context: 'MAX_TOKENS',
    malformed: 'MALFORMED_FUNCTION_CALL',
  },
}

const read = new Map<string, Stop>(
  Object.entries<Stop>({
    end_turn: 'end',
    max_tokens: 'length',
    stop_sequence: 'sequence',
    tool_use: 'tool',
    pause_turn: 'pause',
    model_context_window_exceeded: 'context',
    refusal: 'refusal',
    stop: 'end',
    length: 'length',
    tool_calls: 'tool',
    function_call: 'tool',
    content_filter: 'refusal',
    STOP: 'end',
    MAX_TOKENS: 'length',
    SAFETY: 'refusal',
    RECITATION: 'refusal',
    BLOCKLIST: 'refusal',
    PROHIBITED_CONTENT: 'refusal',
    SPII: 'refusal',
    IMAGE_SAFETY: 'refusal',
    IMAGE_PROHIBITED_CONTENT: 'refusal',
    IMAGE_RECITATION: 'refusal',
    LANGUAGE: 'refusal',
    MALFORMED_FUNCTION_CALL: 'malformed',
    UNEXPECTED_TOOL_CALL: 'malformed',
    TOO_MANY_TOOL_CALLS: 'malformed',
    MALFORMED_RESPONSE: 'malformed',
  }),
)

export function writeStop(stop: Stop, dialect: keyof typeof written): string {
  return written[dialect][stop]
}

/** An unknown word is an end: the answer is there. */
export function readStop(word: string | null): Stop {
  return read.get(word ?? '') ?? 'end'
}

/** Gemini and some chat servers say that they stopped where they called a tool. */
export function stopWith(stop: Stop, kinds: { has(kind: Part['kind']): boolean }): Stop {
  if (stop === 'end' && kinds.has('call')) return 'tool'
  return stop === 'end' && kinds.has('refusal') ? 'refusal' : stop
}

export function isChat(name: string): name is ChatDialect {
  return name === 'openai-responses' || Object.hasOwn(written, name)
}
