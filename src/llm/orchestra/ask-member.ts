import { errorText, SluiceError } from '#lib/errors'
import type { Piece, Question, Said, Send } from '../adapters/adapter.ts'
import { AskError } from '../adapters/ask-error.ts'
import type { AdapterFactory } from '../adapters/factory.ts'
import { splitModel } from './models.ts'
import type { Result } from './shapes.ts'

export type Asking = { adapters: AdapterFactory; send: Send; timeoutMs: number }

/** Asks one model; what goes wrong is a result too. With `onText`, text comes as the model says it. */
export async function askMember(
  name: string,
  question: Question,
  { adapters, send, timeoutMs, onText }: Asking & { onText?: ((text: string) => void) | undefined },
): Promise<Result> {
  const started = performance.now()
  const signal = AbortSignal.any([question.signal, AbortSignal.timeout(timeoutMs)])
  try {
    const adapter = adapters.create(splitModel(name), send)
    const problem = adapter.validateConfig()[0]
    if (problem !== undefined) throw new SluiceError(422, 'not-set-up', problem.detail)
    const asked = { ...question, signal }
    const said =
      onText === undefined ? await adapter.generate(asked) : await listen(adapter.stream(asked), onText)
    return succeeded(name, said)
  } catch (error) {
    const failed = failedWith(error, { name, ms: Math.round(performance.now() - started) })
    if (question.signal.aborted) return { ...failed, status: 'cancelled' }
    if (!signal.aborted) return failed
    const message = `asking ${name}: no answer within ${timeoutMs / 1000} s`
    return { ...failed, error: { code: 'timeout', status: 504, message } }
  }
}

/** @throws AskError where the end is missing */
async function listen(pieces: AsyncGenerator<Piece, void>, onText: (text: string) => void): Promise<Said> {
  for await (const piece of pieces) {
    if (piece.type === 'end') return piece.said
    if (piece.type === 'text') onText(piece.text)
  }
  throw new AskError(502, 'asking: the answer has no end')
}

function succeeded(model: string, { text, stop, usage, costMicros, ms, exchange }: Said): Result {
  return {
    ...{ model, status: 'succeeded', text, stop, cost_micros: costMicros, ms, exchange_id: exchange },
    tokens: usage === null ? null : { input: allInput(usage), output: usage.output },
    ...{ error: null, file: null },
  }
}

function failedWith(error: unknown, { name, ms }: { name: string; ms: number }): Result {
  const { status, code } = error instanceof SluiceError ? error : { status: 500, code: 'internal' }
  return {
    ...{
      model: name,
      status: 'failed',
      text: null,
      stop: null,
      tokens: null,
      cost_micros: null,
      ms,
      file: null,
    },
    exchange_id: error instanceof AskError ? error.exchange : null,
    error: { code, status, message: errorText(error, 1_000) },
  }
}

function allInput({ input, cache_read, cache_write }: NonNullable<Said['usage']>): number | null {
  return input === null ? null : input + (cache_read ?? 0) + (cache_write ?? 0)
}
