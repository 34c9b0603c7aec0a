import { now } from '#lib/clock'
import type { ChatDialect, ModelAnswer, Part } from '../codecs/model.ts'
import { isAnswer } from '../codecs/recognise.ts'
import type { PriceOf } from '../price.ts'
import type { Adapter, AdapterMetadata, Problem, Question, Said } from './adapter.ts'
import { AskError, askErrorOf } from './ask-error.ts'
import { gather } from './gather.ts'
import type { How, Transport } from './transport.ts'
import { wireOf } from './wire.ts'

export type ChatAdapterOptions = {
  metadata: AdapterMetadata & { dialect: ChatDialect }
  transport: Transport
  price: PriceOf
  problems: () => Problem[]
}

/** An adapter over any dialect that has a codec: the codec knows the words, the transport the way. */
export function chatAdapter({ metadata, transport, price, problems }: ChatAdapterOptions): Adapter {
  const { name, model, dialect, local } = metadata
  const who = `${name}/${model}`

  return { metadata, validateConfig: problems, generate, stream }

  async function generate(question: Question): Promise<Said> {
    const at = now()
    const { out, codec, context } = wireOf(dialect, question, { model, stream: false })
    try {
      const { body, exchange } = await transport.whole(out, howOf(question))
      if (!isAnswer(body, dialect))
        throw new AskError(502, `asking ${who}: what it said is no answer of ${dialect}`, { exchange })
      return said(codec.readAnswer(body, context), { exchange, at })
    } catch (error) {
      throw askErrorOf(error, who)
    }
  }

  async function* stream(question: Question): ReturnType<Adapter['stream']> {
    const at = now()
    const { out, codec, context } = wireOf(dialect, question, { model, stream: true })
    try {
      const { events, exchange } = await transport.events(out, howOf(question))
      const gathered = gather(model)
      const reader = codec.streamReader(gathered.take, context)
      for await (const event of events) {
        reader.event(event)
        yield* gathered.pieces()
        if (gathered.failure() !== null) break
      }
      const complete = reader.end()
      yield* gathered.pieces()
      const failure = gathered.failure()
      if (failure !== null)
        throw new AskError(failure.status, `asking ${who}: ${failure.message}`, { exchange })
      if (!complete)
        throw new AskError(502, `asking ${who}: it broke off in the middle of its answer`, { exchange })
      yield { type: 'end', said: said(gathered.answer(), { exchange, at }) }
    } catch (error) {
      throw askErrorOf(error, who)
    }
  }

  function said(answer: ModelAnswer, { exchange, at }: { exchange: string | null; at: number }): Said {
    const usage = answer.usage === null ? null : { ...answer.usage, final: true }
    const priced = price({ provider: name, model: answer.model || model, usage, at })
    return {
      ...{ text: textOf(answer.parts), parts: answer.parts, stop: answer.stop, model: answer.model || model },
      ...{ usage, costMicros: priced?.micros ?? (local ? 0 : null), exchange, ms: Math.round(now() - at) },
    }
  }
}

function howOf({ signal, tags = [], conversation }: Question): How {
  return {
    signal,
    headers: {
      ...(tags.length > 0 ? { 'sluice-tags': tags.join(',') } : {}),
      ...(conversation === undefined ? {} : { 'sluice-conversation': conversation }),
    },
  }
}

function textOf(parts: readonly Part[]): string {
  return parts
    .flatMap((part) => (part.kind === 'text' || part.kind === 'refusal' ? [part.text] : []))
    .join('')
}
