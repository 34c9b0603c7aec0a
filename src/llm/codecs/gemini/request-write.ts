import type { Json } from '../../dialects/json.ts'
import type { Context, Outgoing } from '../codec.ts'
import { budgetFor, effortFor } from '../effort.ts'
import type { ModelRequest, Tool, ToolChoice } from '../model.ts'
import { geminiFacts } from '../model-facts.ts'
import { loseOpenai } from '../openai-fields.ts'
import { callsById, joinTurns, splitSystem, systemAsUser } from '../turns.ts'
import { type TurnWriter, writePart, writeTurn } from './content-write.ts'

const mostStops = 5

export function writeRequest(request: ModelRequest, context: Context): Outgoing {
  const { model, stream } = request
  const { system, rest } = splitSystem(request.turns)
  const turns = joinTurns(systemAsUser(rest, context))
  const writer: TurnWriter = { model, calls: callsById(turns), context }
  const instructions = system.flatMap((part) => writePart(part, writer))
  const config = writeConfig(request, context)
  loseParameters(request, context)
  const body: Json = {
    contents: turns.flatMap((turn) => writeTurn(turn, writer)),
    ...(instructions.length > 0 ? { systemInstruction: { parts: instructions } } : {}),
    ...writeTools(request, context),
    ...(Object.keys(config).length > 0 ? { generationConfig: config } : {}),
  }
  const method = stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
  return { path: `${modelPath(model)}:${method}`, body, headers: {} }
}

export function modelPath(model: string): string {
  return `/v1beta/models/${encodeURIComponent(model.replace(/^models\//, ''))}`
}

function writeConfig(request: ModelRequest, context: Context): Json {
  const { temperature, topP, topK, maxTokens, seed, stop, format } = request
  const { frequencyPenalty, presencePenalty } = request
  if (stop.length > mostStops) context.lose('stop-many', `${mostStops} of ${stop.length}`)
  return {
    ...(temperature === null ? {} : { temperature }),
    ...(topP === null ? {} : { topP }),
    ...(topK === null ? {} : { topK }),
    ...(maxTokens === null ? {} : { maxOutputTokens: maxTokens }),
    ...(seed === null ? {} : { seed }),
    ...(stop.length > 0 ? { stopSequences: stop.slice(0, mostStops) } : {}),
    ...(frequencyPenalty === null ? {} : { frequencyPenalty }),
    ...(presencePenalty === null ? {} : { presencePenalty }),
    ...(format === null ? {} : { responseMimeType: 'application/json' }),
    ...(format?.kind === 'schema' ? { responseJsonSchema: format.schema } : {}),
    ...writeThinking(request, context),
  }
}

function writeThinking({ reasoning, model }: ModelRequest, context: Context): Json {
  if (reasoning === null) return {}
  const facts = geminiFacts(model)
  const effort = effortFor(reasoning)
  if (effort === 'none') {
    if (facts.canStopThinking) return { thinkingConfig: { thinkingBudget: 0 } }
    context.lose('thinking-off')
    return { thinkingConfig: facts.thinking === 'level' ? { thinkingLevel: 'LOW' } : { thinkingBudget: 128 } }
  }
  const visible = reasoning.visible ? { includeThoughts: true } : {}
  if (facts.thinking === 'level') {
    const level = effort === 'xhigh' || effort === 'max' ? 'HIGH' : effort?.toUpperCase()
    return { thinkingConfig: { ...visible, ...(level === undefined ? {} : { thinkingLevel: level }) } }
  }
  const budget = budgetFor(reasoning)
  // No model of this kind takes more.
  return {
    thinkingConfig: { ...visible, ...(budget === null ? {} : { thinkingBudget: Math.min(budget, 24_576) }) },
  }
}

function writeTools({ tools, toolChoice, parallel }: ModelRequest, context: Context): Json {
  if (tools.length === 0) return {}
  if (parallel === false) context.lose('parallel-calls')
  return {
    tools: [{ functionDeclarations: tools.map((tool) => writeTool(tool, context)) }],
    ...(toolChoice === null
      ? {}
      : { toolConfig: { functionCallingConfig: writeChoice(toolChoice, context) } }),
  }
}

function writeTool(tool: Tool, context: Context): Json {
  if (tool.schema === null) context.lose('custom-tool')
  if (tool.cache !== undefined) context.lose('cache-control')
  const free = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }
  return {
    name: context.names.out(tool.name),
    ...(tool.description === null ? {} : { description: tool.description }),
    parametersJsonSchema: tool.schema ?? free,
  }
}

function writeChoice(choice: ToolChoice, context: Context): Json {
  switch (choice.kind) {
    case 'auto':
      return { mode: 'AUTO' }
    case 'any':
      return { mode: 'ANY' }
    case 'none':
      return { mode: 'NONE' }
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [context.names.out(choice.name)] }
    case 'among': {
      const allowedFunctionNames = choice.names.map((name) => context.names.out(name))
      return { mode: choice.must ? 'ANY' : 'VALIDATED', allowedFunctionNames }
    }
  }
}

function loseParameters(request: ModelRequest, context: Context): void {
  if (request.user !== null) context.lose('user')
  if (request.tools.some(({ strict }) => strict === true)) context.lose('strict-tool')
  loseOpenai(request.openai, context)
}
