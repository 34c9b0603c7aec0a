import Anthropic from '@anthropic-ai/sdk'
import { z } from 'zod'
import { SluiceError } from '#lib/errors'
import { object, objects, parseJson } from '../dialects/json.ts'
import type { InternalCalls } from '../internal-calls.ts'

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
 * @throws SluiceError or APIError with the provider's `status` and `headers`
 */
export type AskTool = (question: ToolQuestion) => Promise<unknown>

export type ModelTarget = { provider: string; model: string; dialect: string | null; calls: InternalCalls }

const timeoutMs = 60_000
const mostTokens = 400
/** Replaced by whoever sends it. */
const nowhere = 'http://sluice.internal'

export function toolOf(name: string, description: string, schema: z.ZodType): Tool {
  const { $schema, ...json } = z.toJSONSchema(schema) as Record<string, unknown>
  return { name, description, schema: json }
}

/** Asks in the provider's own dialect. */
export function askTool(target: ModelTarget): AskTool {
  const family = (target.dialect ?? 'anthropic').split('-')[0]
  if (family === 'openai') return askOpenai(target)
  return family === 'gemini' ? askGemini(target) : askAnthropic(target)
}

function askAnthropic({ provider, model, calls }: ModelTarget): AskTool {
  return async ({ instructions, prompt, tool, tenant, signal }) => {
    const send = calls(tenant)
    const client = new Anthropic({
      ...{ apiKey: 'replaced', baseURL: `${nowhere}/p/${provider}`, maxRetries: 0, timeout: timeoutMs },
      fetch: (input, init) => send(new Request(String(input), init as RequestInit)),
    })
    const message = await client.messages.create(
      {
        ...{ model, max_tokens: mostTokens, system: instructions },
        messages: [{ role: 'user', content: prompt }],
        tools: [
          {
            name: tool.name,
            description: tool.description,
            input_schema: { type: 'object', ...tool.schema },
          },
        ],
        tool_choice: { type: 'tool', name: tool.name },
      },
      { signal },
    )
    return message.content.find((block) => block.type === 'tool_use')?.input
  }
}

function askOpenai({ provider, model, calls }: ModelTarget): AskTool {
  return async ({ instructions, prompt, tool, tenant, signal }) => {
    const { name, description, schema } = tool
    const body = {
      ...{ model, max_completion_tokens: mostTokens },
      messages: [
        { role: 'system', content: instructions },
        { role: 'user', content: prompt },
      ],
      tools: [{ type: 'function', function: { name, description, parameters: schema } }],
      tool_choice: { type: 'function', function: { name } },
    }
    const answer = await post(calls(tenant), `/p/${provider}/v1/chat/completions`, body, signal)
    const message = object(objects(object(answer)?.choices)[0]?.message)
    const text = object(objects(message?.tool_calls)[0]?.function)?.arguments
    return typeof text === 'string' ? parseJson(text) : undefined
  }
}

function askGemini({ provider, model, calls }: ModelTarget): AskTool {
  return async ({ instructions, prompt, tool, tenant, signal }) => {
    const { name, description, schema } = tool
    const body = {
      systemInstruction: { parts: [{ text: instructions }] },
      contents: [{ role: 'user', parts: [{ text: prompt }] }],
      tools: [{ functionDeclarations: [{ name, description, parametersJsonSchema: schema }] }],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [name] } },
      generationConfig: { maxOutputTokens: mostTokens },
    }
    const path = `/p/${provider}/v1beta/models/${encodeURIComponent(model)}:generateContent`
    const answer = await post(calls(tenant), path, body, signal)
    const content = object(objects(object(answer)?.candidates)[0]?.content)
    return objects(content?.parts)
      .map((part) => object(part.functionCall)?.args)
      .find((args) => args !== undefined)
  }
}

async function post(
  send: ReturnType<InternalCalls>,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const response = await send(
    new Request(`${nowhere}${path}`, {
      ...{ method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    }),
  )
  const text = await response.text()
  if (response.ok) return parseJson(text)
  const after = response.headers.get('retry-after')
  throw new SluiceError(response.status, 'model-failed', `asking ${path}: ${response.status}`, {
    headers: after === null ? {} : { 'retry-after': after },
  })
}
