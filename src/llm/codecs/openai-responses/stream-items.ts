import type { Json } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import type { Block } from '../events.ts'
import type { Part, Seal } from '../model.ts'
import { message, outputText, writePart } from './answer.ts'

/** One item of the output as events, from `output_item.added` to `output_item.done`. */
export type ItemWriter = {
  open(): Json[]
  delta(text: string): Json[]
  seal(seal: Seal): void
  close(): { events: Json[]; item: Json }
}

type Place = { index: number; id: string; context: Context }

export function itemWriter(block: Block, { index, id, context }: Place): ItemWriter {
  let said = ''
  let seal: Seal | null = null
  const begun = beginning(block, id)
  const at = { item_id: begun.id, output_index: index }

  function part(): Part {
    if (block.kind === 'thinking') return { kind: 'thinking', text: said, seal }
    if (block.kind === 'call') return { ...block, input: said }
    return { kind: block.kind, text: said }
  }

  return {
    open: () => [
      { type: 'response.output_item.added', output_index: index, item: begun },
      ...opened(block, at),
    ],
    delta(text) {
      // The part of a summary begins with its first word: thinking may have none.
      const first = said === '' && block.kind === 'thinking' ? [summaryPart('added', at, '')] : []
      said += text
      return [...first, deltaOf(block, at, text)]
    },
    seal(given) {
      seal = given
    },
    close() {
      const whole = { ...writePart(part(), id, context), id: begun.id }
      const done = { type: 'response.output_item.done', output_index: index, item: whole }
      return { events: [...closing(block, at, said), done], item: whole }
    },
  }
}

function beginning(block: Block, id: string): Json {
  switch (block.kind) {
    case 'thinking':
      return { id: `rs_${id}`, type: 'reasoning', summary: [] }
    case 'call': {
      const base = { call_id: block.id, name: block.name, status: 'in_progress' }
      return block.custom
        ? { id: `ctc_${id}`, type: 'custom_tool_call', ...base, input: '' }
        : { id: `fc_${id}`, type: 'function_call', ...base, arguments: '' }
    }
    default:
      return message(`msg_${id}`, 'in_progress', [])
  }
}

function opened(block: Block, at: Json): Json[] {
  if (block.kind === 'text') return [contentPart('added', at, outputText(''))]
  if (block.kind === 'refusal') return [contentPart('added', at, { type: 'refusal', refusal: '' })]
  return []
}

function deltaOf(block: Block, at: Json, delta: string): Json {
  switch (block.kind) {
    case 'text':
      return { type: 'response.output_text.delta', ...at, content_index: 0, delta, logprobs: [] }
    case 'refusal':
      return { type: 'response.refusal.delta', ...at, content_index: 0, delta }
    case 'thinking':
      return { type: 'response.reasoning_summary_text.delta', ...at, summary_index: 0, delta }
    case 'call':
      return block.custom
        ? { type: 'response.custom_tool_call_input.delta', ...at, delta }
        : { type: 'response.function_call_arguments.delta', ...at, delta }
  }
}

function closing(block: Block, at: Json, said: string): Json[] {
  switch (block.kind) {
    case 'text':
      return [
        { type: 'response.output_text.done', ...at, content_index: 0, text: said, logprobs: [] },
        contentPart('done', at, outputText(said)),
      ]
    case 'refusal':
      return [
        { type: 'response.refusal.done', ...at, content_index: 0, refusal: said },
        contentPart('done', at, { type: 'refusal', refusal: said }),
      ]
    case 'thinking':
      if (said === '') return []
      return [
        { type: 'response.reasoning_summary_text.done', ...at, summary_index: 0, text: said },
        summaryPart('done', at, said),
      ]
    case 'call':
      return block.custom
        ? [{ type: 'response.custom_tool_call_input.done', ...at, input: said }]
        : [{ type: 'response.function_call_arguments.done', ...at, name: block.name, arguments: said }]
  }
}

function contentPart(what: 'added' | 'done', at: Json, part: Json): Json {
  return { type: `response.content_part.${what}`, ...at, content_index: 0, part }
}

function summaryPart(what: 'added' | 'done', at: Json, text: string): Json {
  return {
    type: `response.reasoning_summary_part.${what}`,
    ...at,
    summary_index: 0,
    part: { type: 'summary_text', text },
  }
}
