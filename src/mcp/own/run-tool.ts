import type { z } from 'zod'
import type { Tool, ToolContext } from '#access'
import { may } from '#access'
import { errorText, InputError, SluiceError } from '#lib/errors'
import type { RawJson } from '../wire/message.ts'

/** As in `CallToolResult`. */
export type ToolResult = {
  content: { type: 'text'; text: string }[]
  structuredContent?: Record<string, unknown>
  isError?: true
}

export type OnError = (tool: string, error: unknown) => void

/** Checks the arguments and runs it. Never rejects: a model reads what went wrong, and mends its call. */
export async function runTool(
  tool: Tool,
  args: RawJson,
  { onError, ...context }: ToolContext & { onError: OnError },
): Promise<ToolResult> {
  if (!may(context.principal, tool.scope)) return failed(`${tool.name}: this needs the scope ${tool.scope}`)
  const parsed = tool.input.safeParse(parse(args))
  if (!parsed.success) return failed(`${tool.name}: ${wrong(parsed.error)}`)
  try {
    return succeeded(await tool.run(parsed.data, context))
  } catch (error) {
    if (!(error instanceof SluiceError) && !context.signal.aborted) onError(tool.name, error)
    return failed(textOf(tool.name, error))
  }
}

function parse(args: RawJson): unknown {
  if (args.trim() === '') return {}
  const value: unknown = JSON.parse(args)
  return value ?? {}
}

function wrong(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const field = issue.path.map(String).join('.')
      if (issue.code === 'unrecognized_keys') {
        const names = issue.keys.map((key) => (field === '' ? key : `${field}.${key}`))
        return `${names.join(', ')}: not known here`
      }
      return `${field === '' ? 'the arguments' : field}: ${issue.message}`
    })
    .join('; ')
}

/** Of its own errors a message says what was wrong; of any other nothing is told, as it may hold anything. */
function textOf(name: string, error: unknown): string {
  if (error instanceof InputError) return `${name}: ${error.message.replaceAll('?', '')}`
  if (error instanceof SluiceError) return `${name}: ${errorText(error)}`
  return `${name}: the gateway failed; its log has the reason`
}

function succeeded(value: unknown): ToolResult {
  const structured = isObject(value) ? value : { value: value ?? null }
  return {
    content: [{ type: 'text', text: JSON.stringify(structured, null, 2) }],
    structuredContent: structured,
  }
}

function failed(text: string): ToolResult {
  return { content: [{ type: 'text', text }], isError: true }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
