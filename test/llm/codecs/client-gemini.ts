import {
  type Content,
  FunctionCallingConfigMode,
  type GenerateContentParameters,
  type GenerateContentResponse,
  GoogleGenAI,
  type Part,
} from '@google/genai'
import type { Client, Question, Say } from './clients.ts'

export const geminiClient: Client = async (url, question) => {
  const client = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: url } })
  const body = params(question)
  const chunks: GenerateContentResponse[] = []
  if (question.stream) {
    for await (const chunk of await client.models.generateContentStream(body)) chunks.push(chunk)
  } else chunks.push(await client.models.generateContent(body))
  const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? [])
  const stop = chunks.findLast((chunk) => chunk.candidates?.[0]?.finishReason)?.candidates?.[0]?.finishReason
  const usage = chunks.findLast((chunk) => chunk.usageMetadata)?.usageMetadata
  const refused = stop === 'SAFETY'
  const text = parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join('')
  return {
    text: refused ? '' : text,
    refusal: refused ? text : '',
    thinking: parts.map((part) => (part.thought ? (part.text ?? '') : '')).join(''),
    calls: parts.flatMap(({ functionCall }) =>
      functionCall === undefined ? [] : [{ name: functionCall.name ?? '', input: functionCall.args }],
    ),
    stop: stop ?? '',
    usage: {
      input: usage?.promptTokenCount ?? 0,
      output: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
      cached: usage?.cachedContentTokenCount ?? 0,
      reasoning: usage?.thoughtsTokenCount ?? 0,
    },
  }
}

function params(question: Question): GenerateContentParameters {
  const { system, tools, force, schema } = question
  const calling = { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: [force ?? ''] }
  return {
    model: question.model ?? 'mock',
    contents: question.say.map(content),
    config: {
      ...(system === undefined ? {} : { systemInstruction: system }),
      ...(question.maxTokens === undefined ? {} : { maxOutputTokens: question.maxTokens }),
      ...(tools === undefined
        ? {}
        : {
            tools: [
              {
                functionDeclarations: tools.map(({ name, schema }) => ({
                  name,
                  parametersJsonSchema: schema,
                })),
              },
            ],
          }),
      ...(force === undefined ? {} : { toolConfig: { functionCallingConfig: calling } }),
      ...(question.thinking ? { thinkingConfig: { includeThoughts: true, thinkingBudget: 1_024 } } : {}),
      ...(schema === undefined ? {} : { responseMimeType: 'application/json', responseJsonSchema: schema }),
    },
  }
}

function content(say: Say): Content {
  if ('assistant' in say) return { role: 'model', parts: [{ text: say.assistant }] }
  if ('calls' in say) {
    return {
      role: 'model',
      parts: say.calls.map(({ id, name, input }) => ({ functionCall: { id, name, args: input } })),
    }
  }
  if ('results' in say) {
    return {
      role: 'user',
      parts: say.results.map(({ id, name, text }) => ({
        functionResponse: { id, name, response: { output: text } },
      })),
    }
  }
  const parts: Part[] = [{ text: say.user }]
  if (say.pdf !== undefined) parts.unshift({ inlineData: { mimeType: 'application/pdf', data: say.pdf } })
  if (say.image !== undefined) parts.unshift({ inlineData: { mimeType: 'image/png', data: say.image } })
  return { role: 'user', parts }
}
