import type { Message } from '#capture'
import { type Json, object, parseJson } from '../../dialects/json.ts'
import { type Directives, readDirectives } from './directives.ts'
import { fitSchema } from './tool-arguments.ts'

export type Tool = { name: string; schema: unknown }

/** A request, freed of its dialect. */
export type Asked = {
  model: string
  history: readonly Message[]
  tools: readonly Tool[]
  /** The name of a tool that must be called; `*` for any. */
  force: string | null
  thinking: boolean
  /** Makes ids: the same request has the same ones. */
  seed: string
}

/** What the mock answers, before it takes a dialect's shape. */
export type Plan = {
  id: string
  model: string
  thinking: string | null
  /** The text in pieces, one a frame of a stream. */
  pieces: string[]
  calls: { id: string; name: string; input: Json }[]
  tokens: { input: number; cached: number; written: number; output: number; reasoning: number }
  directives: Directives
}

/** Decides what to say: a tool call where one is asked for, words otherwise. Equal requests, equal answers. */
export function plan(asked: Asked): Plan {
  const turn = asked.history.slice(asked.history.findLastIndex(({ role }) => role === 'assistant') + 1)
  const said = turn.findLast(({ role }) => role === 'user')?.text ?? ''
  const prompt = withoutContext(said)
  const directives = readDirectives(asked.model, prompt)
  const results = turn.filter(({ role }) => role === 'tool')
  const calls = results.length > 0 ? [] : chooseCalls(asked, prompt)
  const thinking = asked.thinking || directives.thinking ? 'Let me think about that for a moment.' : null
  const pieces =
    calls.length > 0 ? [] : directives.echo ? split(said) : words(results.at(-1), prompt, directives)
  const reasoning = thinking === null ? 0 : tokensOf(thinking.length)
  const chars = pieces.join('').length + JSON.stringify(calls.map(({ name, input }) => [name, input])).length
  return {
    id: asked.seed,
    model: asked.model,
    thinking,
    pieces,
    calls,
    tokens: { ...inputTokens(asked), output: tokensOf(chars) + reasoning, reasoning },
    directives,
  }
}

/** About four characters a token. */
export function tokensOf(chars: number): number {
  return Math.max(1, Math.ceil(chars / 4))
}

/** On later turns most of the input comes from the cache, as it would. */
export function inputTokens({
  history,
  tools,
}: Pick<Asked, 'history' | 'tools'>): Pick<Plan['tokens'], 'input' | 'cached' | 'written'> {
  const said = history.reduce((sum, { text }) => sum + text.length, 0)
  const input = tokensOf(said + (tools.length === 0 ? 0 : JSON.stringify(tools).length))
  const later = history.some(({ role }) => role === 'assistant')
  return {
    input,
    cached: later ? Math.floor(input * 0.75) : 0,
    written: Math.floor(input * (later ? 0.1 : 0.75)),
  }
}

/** `use tool NAME`, and if the arguments matter `use tool NAME with {"a": 1}`; or what `tool_choice` forces. */
function chooseCalls({ tools, force, seed }: Asked, prompt: string): Plan['calls'] {
  const wanted = [...prompt.matchAll(/\buse tool ([\w.-]+)(?: with (\{[^\n]*\}))?/gi)]
  const named = wanted.flatMap(([, name, input]) => {
    const tool = tools.find((one) => one.name === name)
    return tool === undefined ? [] : [{ tool, input: object(parseJson(input ?? '')) }]
  })
  const forced = force === '*' ? tools[0] : tools.find((one) => one.name === force)
  const chosen = named.length === 0 && forced !== undefined ? [{ tool: forced, input: null }] : named
  return chosen.map(({ tool, input }, index) => ({
    id: `${seed}${index}`,
    name: tool.name,
    input: input ?? object(fitSchema(tool.schema)) ?? {},
  }))
}

function words(result: Message | undefined, prompt: string, { frames }: Directives): string[] {
  if (frames !== null) return Array.from({ length: frames }, (_, index) => `word ${index + 1} `)
  if (result !== undefined) return split(`The tool answered: ${excerpt(result.text)}`)
  return split(`This is the mock provider. You said: ${excerpt(prompt)}`)
}

/** Agents put what they know about the machine into tags around what a person typed. */
function withoutContext(prompt: string): string {
  return prompt.replace(/<([\w-]+)>[\s\S]*?<\/\1>\s*/g, '').trim() || prompt
}

/** Three words a frame. */
function split(text: string): string[] {
  return text.match(/(?:\S+\s*){1,3}|\s+/g) ?? []
}

function excerpt(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}
