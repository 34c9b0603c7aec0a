import { z } from 'zod'
import { InputError } from '#lib/errors'
import type { ChatDialect } from '../codecs/model.ts'
import { price as listPrice, type PriceOf } from '../price.ts'
import { type Provider, type Providers, variableOf } from '../providers/provider.ts'
import type { Adapter, Problem, Send } from './adapter.ts'
import { anthropicTransport } from './anthropic-transport.ts'
import { chatAdapter } from './chat-adapter.ts'
import { plainTransport, type Transport } from './transport.ts'

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be the name of a provider')

export const adapterConfig = z.strictObject({
  provider: name,
  model: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'must be text without control characters'),
  dialect: z
    .enum(['anthropic', 'openai-chat', 'openai-responses', 'gemini'])
    .optional()
    .meta({ description: 'Where the provider speaks several' }),
})
export type AdapterConfig = z.infer<typeof adapterConfig>

/** An API shape: how requests of a dialect are sent. */
type Shape = { dialect: ChatDialect; transport: (provider: string, send: Send) => Transport }

export type AdapterFactory = {
  /** Makes adapters of that dialect known. @throws Error where there are some already */
  register(shape: Shape): void
  /** Providers that adapters can be made for, by name. */
  names(): string[]
  /** What is wrong with a configuration; empty where nothing is. */
  validate(config: unknown): Problem[]
  /** @throws InputError 422 where it could not be one; what is only not set up yet, `validateConfig` tells */
  create(config: unknown, send: Send): Adapter
}

/** Adapters for all providers: those that speak a registered API shape. */
export function openAdapters({
  providers,
  price = listPrice,
}: {
  providers: Pick<Providers, 'find' | 'names'>
  price?: PriceOf
}): AdapterFactory {
  const shapes = new Map<string, Shape>()
  const factory: AdapterFactory = {
    register(shape) {
      if (shapes.has(shape.dialect))
        throw new Error(`registering adapters: ${shape.dialect} is registered already`)
      shapes.set(shape.dialect, shape)
    },
    names: () => providers.names().filter((one) => shapes.has(providers.find(one)?.dialect ?? '')),
    validate(config) {
      const parsed = adapterConfig.safeParse(config)
      if (!parsed.success)
        return parsed.error.issues.map((issue) => ({
          pointer: `/${issue.path.join('/')}`,
          detail: issue.message,
        }))
      return problems(parsed.data)
    },
    create(input, send) {
      const parsed = adapterConfig.safeParse(input)
      if (!parsed.success) throw new InputError(422, 'bad-adapter', factory.validate(input))
      const config = parsed.data
      const shape = shapeOf(config)
      if (shape === null) throw new InputError(422, 'bad-adapter', problems(config))
      const local = providers.find(config.provider)?.local ?? false
      return chatAdapter({
        metadata: { name: config.provider, model: config.model, dialect: shape.dialect, local },
        transport: shape.transport(config.provider, send),
        ...{ price, problems: () => problems(config) },
      })
    },
  }
  for (const shape of builtIn) factory.register(shape)
  return factory

  function shapeOf({ provider, dialect }: AdapterConfig): Shape | null {
    const found = providers.find(provider)
    if (found === null) return null
    if (dialect !== undefined && !found.speaks.includes(dialect)) return null
    return shapes.get(dialect ?? found.dialect) ?? null
  }

  function problems(config: AdapterConfig): Problem[] {
    const { provider, dialect } = config
    const found = providers.find(provider)
    if (found === null)
      return [
        {
          pointer: '/provider',
          detail: `there is no ${provider}. Known are: ${providers.names().join(', ')}`,
        },
      ]
    if (shapeOf(config) === null)
      return [{ pointer: '/dialect', detail: `${provider} does not speak ${dialect ?? found.dialect}` }]
    return missing(found)
  }
}

const builtIn: readonly Shape[] = [
  { dialect: 'anthropic', transport: anthropicTransport },
  { dialect: 'openai-chat', transport: plainTransport },
  { dialect: 'openai-responses', transport: plainTransport },
  { dialect: 'gemini', transport: plainTransport },
]

function missing({ name, baseUrl, open, keys }: Provider): Problem[] {
  const pointer = '/provider'
  return [
    ...(baseUrl === null
      ? [{ pointer, detail: `${name} has no address: set ${variableOf(name, 'BASE_URL')}` }]
      : []),
    ...(open || keys.size > 0
      ? []
      : [{ pointer, detail: `${name} has no key: set ${variableOf(name, 'API_KEY')}` }]),
  ]
}
