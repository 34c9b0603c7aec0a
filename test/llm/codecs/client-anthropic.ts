import Anthropic from '@anthropic-ai/sdk'
import type { Client, Question, Say } from './clients.ts'

export const anthropicClient: Client = async (url, question) => {
  const client = new Anthropic({ apiKey: 'none', baseURL: url, maxRetries: 0 })
  const body = params(question)
  const message = question.stream
    ? await client.messages.stream(body).finalMessage()
    : await client.messages.create(body)
  const { usage } = message
  const of = <T extends string>(type: T) => message.content.filter((block) => block.type === type)
  const refused = message.stop_reason === 'refusal'
  const text = of('text')
    .map((block) => ('text' in block ? block.text : ''))
    .join('')
  return {
    text: refused ? '' : text,
    refusal: refused ? text : '',
    thinking: of('thinking')
      .map((block) => ('thinking' in block ? block.thinking : ''))
      .join(''),
    calls: of('tool_use').flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, input: block.input }] : [],
    ),
    stop: message.stop_reason ?? '',
    usage: {
      input:
        usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
      output: usage.output_tokens,
      cached: usage.cache_read_input_tokens ?? 0,
      reasoning: usage.output_tokens_details?.thinking_tokens ?? 0,
    },
  }
}

function params(question: Question): Anthropic.MessageCreateParamsNonStreaming {
  const { system, tools, force, schema, maxTokens = 2_000 } = question
  return {
    model: question.model ?? 'mock',
    max_tokens: question.thinking ? maxTokens + 1_024 : maxTokens,
    messages: question.say.map(message),
    ...(system === undefined ? {} : { system }),
    ...(tools === undefined
      ? {}
      : {
          tools: tools.map(({ name, schema }) => ({
            name,
            input_schema: { type: 'object' as const, ...schema },
          })),
        }),
    ...(force === undefined ? {} : { tool_choice: { type: 'tool' as const, name: force } }),
    ...(question.thinking ? { thinking: { type: 'enabled' as const, budget_tokens: 1_024 } } : {}),
    ...(schema === undefined ? {} : { output_config: { format: { type: 'json_schema' as const, schema } } }),
  }
}

function message(say: Say): Anthropic.MessageParam {
  if ('assistant' in say) return { role: 'assistant', content: say.assistant }
  if ('calls' in say) {
    return { role: 'assistant', content: say.calls.map((call) => ({ type: 'tool_use' as const, ...call })) }
  }
  if ('results' in say) {
    const content = say.results.map(({ id, text }) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: text,
    }))
    return { role: 'user', content }
  }
  return {
    role: 'user',
    content: [
      ...(say.image === undefined
        ? []
        : [
            {
              type: 'image' as const,
              source: { type: 'base64' as const, media_type: 'image/png' as const, data: say.image },
            },
          ]),
      ...(say.pdf === undefined
        ? []
        : [
            {
              type: 'document' as const,
              source: { type: 'base64' as const, media_type: 'application/pdf' as const, data: say.pdf },
            },
          ]),
      { type: 'text', text: say.user },
    ],
  }
}
