import OpenAI from 'openai'
import type { Client, Question, Say } from './clients.ts'

type Items = OpenAI.Responses.ResponseInput

export const responsesClient: Client = async (url, question) => {
  const client = new OpenAI({ apiKey: 'none', baseURL: `${url}/v1`, maxRetries: 0 })
  const body = params(question)
  const response = question.stream
    ? await client.responses.stream({ ...body, stream: true }).finalResponse()
    : await client.responses.create(body)
  const contents = response.output.flatMap((item) => (item.type === 'message' ? item.content : []))
  const reason = response.incomplete_details?.reason
  return {
    text: contents.flatMap((part) => (part.type === 'output_text' ? [part.text] : [])).join(''),
    refusal: contents.flatMap((part) => (part.type === 'refusal' ? [part.refusal] : [])).join(''),
    thinking: response.output
      .flatMap((item) => (item.type === 'reasoning' ? item.summary.map(({ text }) => text) : []))
      .join(''),
    calls: response.output.flatMap((item) =>
      item.type === 'function_call' ? [{ name: item.name, input: JSON.parse(item.arguments || '{}') }] : [],
    ),
    stop: reason ?? response.status ?? '',
    usage: {
      input: response.usage?.input_tokens ?? 0,
      output: response.usage?.output_tokens ?? 0,
      cached: response.usage?.input_tokens_details.cached_tokens ?? 0,
      reasoning: response.usage?.output_tokens_details.reasoning_tokens ?? 0,
    },
  }
}

function params(question: Question): OpenAI.Responses.ResponseCreateParamsNonStreaming {
  const { system, tools, force, schema } = question
  return {
    model: question.model ?? 'mock',
    input: question.say.flatMap(items),
    ...(system === undefined ? {} : { instructions: system }),
    ...(question.maxTokens === undefined ? {} : { max_output_tokens: question.maxTokens }),
    ...(tools === undefined
      ? {}
      : {
          tools: tools.map(({ name, schema }) => ({
            type: 'function' as const,
            name,
            parameters: schema,
            strict: false,
          })),
        }),
    ...(force === undefined ? {} : { tool_choice: { type: 'function' as const, name: force } }),
    ...(question.thinking ? { reasoning: { effort: 'low' as const, summary: 'auto' as const } } : {}),
    ...(schema === undefined
      ? {}
      : { text: { format: { type: 'json_schema' as const, name: 'answer', schema } } }),
  }
}

function items(say: Say): Items {
  if ('assistant' in say) return [{ role: 'assistant', content: say.assistant }]
  if ('calls' in say) {
    return say.calls.map(({ id, name, input }) => ({
      type: 'function_call',
      call_id: id,
      name,
      arguments: JSON.stringify(input),
    }))
  }
  if ('results' in say) {
    return say.results.map(({ id, text }) => ({ type: 'function_call_output', call_id: id, output: text }))
  }
  return [
    {
      role: 'user',
      content: [
        ...(say.image === undefined
          ? []
          : [
              {
                type: 'input_image' as const,
                detail: 'auto' as const,
                image_url: `data:image/png;base64,${say.image}`,
              },
            ]),
        ...(say.pdf === undefined
          ? []
          : [
              {
                type: 'input_file' as const,
                filename: 'a.pdf',
                file_data: `data:application/pdf;base64,${say.pdf}`,
              },
            ]),
        { type: 'input_text', text: say.user },
      ],
    },
  ]
}
