import OpenAI from 'openai'
import type { Client, Question, Say } from './clients.ts'

export const chatClient: Client = async (url, question) => {
  const client = new OpenAI({ apiKey: 'none', baseURL: `${url}/v1`, maxRetries: 0 })
  const body = params(question)
  const completion = question.stream
    ? await client.chat.completions
        .stream({ ...body, stream: true, stream_options: { include_usage: true } })
        .finalChatCompletion()
    : await client.chat.completions.create(body)
  const [choice] = completion.choices
  const message = choice?.message
  const thinking = (message as { reasoning_content?: string } | undefined)?.reasoning_content
  return {
    text: message?.content ?? '',
    refusal: message?.refusal ?? '',
    // The SDK adds up only the fields that it knows.
    thinking: thinking ?? '',
    calls: (message?.tool_calls ?? []).flatMap((call) =>
      call.type === 'function'
        ? [{ name: call.function.name, input: JSON.parse(call.function.arguments || '{}') }]
        : [],
    ),
    stop: choice?.finish_reason ?? '',
    usage: {
      input: completion.usage?.prompt_tokens ?? 0,
      output: completion.usage?.completion_tokens ?? 0,
      cached: completion.usage?.prompt_tokens_details?.cached_tokens ?? 0,
      reasoning: completion.usage?.completion_tokens_details?.reasoning_tokens ?? 0,
    },
  }
}

function params(question: Question): OpenAI.ChatCompletionCreateParamsNonStreaming {
  const { system, tools, force, schema } = question
  return {
    model: question.model ?? 'mock',
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      ...question.say.flatMap(messages),
    ],
    ...(question.maxTokens === undefined ? {} : { max_tokens: question.maxTokens }),
    ...(tools === undefined
      ? {}
      : {
          tools: tools.map(({ name, schema }) => ({
            type: 'function' as const,
            function: { name, parameters: schema },
          })),
        }),
    ...(force === undefined ? {} : { tool_choice: { type: 'function' as const, function: { name: force } } }),
    ...(question.thinking ? { reasoning_effort: 'low' as const } : {}),
    ...(schema === undefined
      ? {}
      : { response_format: { type: 'json_schema' as const, json_schema: { name: 'answer', schema } } }),
  }
}

function messages(say: Say): OpenAI.ChatCompletionMessageParam[] {
  if ('assistant' in say) return [{ role: 'assistant', content: say.assistant }]
  if ('calls' in say) {
    const tool_calls = say.calls.map(({ id, name, input }) => ({
      id,
      type: 'function' as const,
      function: { name, arguments: JSON.stringify(input) },
    }))
    return [{ role: 'assistant', content: null, tool_calls }]
  }
  if ('results' in say) {
    return say.results.map(({ id, text }) => ({ role: 'tool', tool_call_id: id, content: text }))
  }
  return [
    {
      role: 'user',
      content: [
        ...(say.image === undefined
          ? []
          : [{ type: 'image_url' as const, image_url: { url: `data:image/png;base64,${say.image}` } }]),
        ...(say.pdf === undefined
          ? []
          : [
              {
                type: 'file' as const,
                file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${say.pdf}` },
              },
            ]),
        { type: 'text', text: say.user },
      ],
    },
  ]
}
