import { z } from 'zod'
import type { Adapter } from '../adapters/adapter.ts'
import type { Part } from '../codecs/model.ts'
import { parseJson } from '../dialects/json.ts'

/** A tool that the model is made to call, so that its answer has a shape. */
export type Tool = { name: string; description: string; schema: Record<string, unknown> }

export type ToolQuestion = {
  instructions: string
  prompt: string
  tool: Tool
  tenant: string
  signal: AbortSignal
}

/**
 * Puts a question and resolves with the arguments of the tool's call, unchecked; undefined where there was none.
 * @throws AskError
 */
export type AskTool = (question: ToolQuestion) => Promise<unknown>

const timeoutMs = 60_000
const mostTokens = 400

export function toolOf(name: string, description: string, schema: z.ZodType): Tool {
  const { $schema, ...json } = z.toJSONSchema(schema) as Record<string, unknown>
  return { name, description, schema: json }
}

export function askTool(adapterFor: (tenant: string) => Adapter): AskTool {
  return async ({ instructions, prompt, tool, tenant, signal }) => {
    const { parts } = await adapterFor(tenant).generate({
      turns: [
        { role: 'system', parts: [{ kind: 'text', text: instructions }] },
        { role: 'user', parts: [{ kind: 'text', text: prompt }] },
      ],
      tools: [{ ...tool, strict: null }],
      toolChoice: { kind: 'tool', name: tool.name },
      ...{ maxTokens: mostTokens, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) },
    })
    return parts.map((part) => argumentsOf(part, tool.name)).find((said) => said !== undefined)
  }
}

function argumentsOf(part: Part, tool: string): unknown {
  return part.kind === 'call' && part.name === tool ? parseJson(part.input) : undefined
}
