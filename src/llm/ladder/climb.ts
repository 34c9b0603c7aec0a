import { SluiceError } from '#lib/errors'
import { type Agreement, agreementOf, groupByWords, type Voice } from '../orchestra/agreement.ts'
import type { Asking } from '../orchestra/ask-member.ts'
import { groupByModel } from '../orchestra/judge.ts'
import { noRetry } from '../refusal.ts'
import { longestWaitMs, retryAfterMs, waitMs } from '../routing/retry.ts'
import { judgeAll, type Trial } from './judges.ts'
import { type Reply, textOf } from './reply.ts'
import { type LadderSpec, type Rung, voiceRetries } from './spec.ts'

/** One model asked, and what was made of its answer. */
export type Step = {
  stage: 'rung' | 'consensus' | 'agreement'
  model: string
  exchange_id: string | null
  status: number
  /** `accepted`; `rejected` by a judge, which goes up; `failed`: the machinery, or the question. */
  verdict: 'accepted' | 'rejected' | 'failed' | 'voice'
  reason: string | null
  cost_micros: number | null
  judge_micros: number
  ms: number
}

export type Climb = {
  /** Null where nobody's was good enough. An error of a provider that no other rung would mend is an answer too. */
  reply: Reply | null
  outcome: 'rung' | 'consensus' | 'exhausted' | 'failed'
  consensus: (Agreement & { by: string }) | null
  /** What was said and not taken. */
  voices: Voice[]
}

export type ClimbOptions = {
  /** Asks one model with the client's request. Rejects where the client left. */
  ask(model: string): Promise<Reply>
  trial: Omit<Trial, 'answer'>
  asking: Asking
  random: () => number
  /** Grows with each. */
  steps: Step[]
}

/**
 * Rung by rung, cheapest first, until the judges are content; then a consensus. Goes up for quality only: what
 * fails for other reasons is tried again on the same rung.
 * @throws SluiceError 503 `rung-unavailable` where that did not help, `judge-unavailable`
 */
export async function climb(spec: LadderSpec, options: ClimbOptions): Promise<Climb> {
  const { trial, asking, steps } = options
  const voices: Voice[] = []
  for (const rung of spec.rungs) {
    const { reply, givenUp } = await askPatiently(rung, 'rung', options)
    const { answer, model } = reply
    if (answer === null) {
      steps.push(stepOf(reply, 'rung', { verdict: 'failed', reason: `HTTP ${reply.status}` }))
      if (givenUp !== null)
        throw unavailable(`${model}, on its rung of the ladder`, { reply, givenUp, steps })
      return { reply, outcome: 'failed', consensus: null, voices }
    }
    // On record before it is judged: what it cost was spent, whatever becomes of the judges.
    const step = stepOf(reply, 'rung', { verdict: 'failed', reason: 'not judged' })
    steps.push(step)
    const pay = (micros: number) => {
      step.judge_micros += micros
    }
    const objection = await judgeAll(spec.judges, { ...trial, answer }, { ...asking, pay })
    step.verdict = objection === null ? 'accepted' : 'rejected'
    step.reason = objection
    if (objection === null) return { reply, outcome: 'rung', consensus: null, voices }
    voices.push({ model, text: textOf(answer) })
  }
  if (spec.consensus === undefined) return { reply: null, outcome: 'exhausted', consensus: null, voices }
  return await agree(spec.consensus, { ...options, voices })
}

async function agree(
  { models, k, judge }: NonNullable<LadderSpec['consensus']>,
  options: ClimbOptions & { voices: Voice[] },
): Promise<Climb> {
  const { steps, voices: before, trial, asking } = options
  const asked = await Promise.all(
    models.map((model) => askPatiently({ model, retries: voiceRetries }, 'consensus', options)),
  )
  const replies = asked.map(({ reply }) => reply)
  for (const reply of replies) {
    const failed = reply.answer === null
    steps.push(
      stepOf(reply, 'consensus', {
        verdict: failed ? 'failed' : 'voice',
        reason: failed ? `HTTP ${reply.status}` : null,
      }),
    )
  }
  const voices = replies.flatMap(({ model, answer }) =>
    answer === null ? [] : [{ model, text: textOf(answer) }],
  )
  let groups = groupByWords(voices)
  let by = 'words'
  if (judge !== undefined && voices.length > 1) {
    const judged = await groupByModel(judge, { prompt: trial.question, voices }, { ...asking, ...trial })
    steps.push({
      ...{
        stage: 'agreement',
        model: judge,
        exchange_id: judged.result.exchange_id,
        status: judged.result.error?.status ?? 200,
      },
      ...{
        verdict: judged.groups === null ? 'failed' : 'accepted',
        reason: judged.result.error?.message ?? null,
      },
      ...{ cost_micros: judged.result.cost_micros, judge_micros: 0, ms: judged.result.ms },
    })
    if (judged.groups !== null) by = judge
    groups = judged.groups ?? groups
  }
  // Of those who were asked, not only of those who answered.
  const consensus = { ...agreementOf(groups, k ?? Math.floor(models.length / 2) + 1), by }
  // Machinery has no opinion: where those unheard could have made it, there is no verdict to go up with.
  const unheard = asked.flatMap(({ reply, givenUp }) => (givenUp === null ? [] : [{ reply, givenUp }]))
  const [first] = unheard
  const mostAlike = consensus.groups[0]?.models.length ?? 0
  if (!consensus.reached && first !== undefined && mostAlike + unheard.length >= consensus.needed)
    throw unavailable(`${first.reply.model}, for the consensus`, { ...first, steps })
  const winner = consensus.reached ? consensus.groups[0]?.models[0] : undefined
  const reply = replies.find(({ model }) => model === winner) ?? null
  return {
    reply,
    outcome: reply === null ? 'exhausted' : 'consensus',
    consensus,
    voices: [...before, ...voices],
  }
}

type GivenUp = { tries: number; wait: number }

/** Tries again where the machinery fails. `givenUp` where that did not help; the tries before are steps. */
async function askPatiently(
  { model, retries }: Rung,
  stage: 'rung' | 'consensus',
  { ask, steps, random, trial }: ClimbOptions,
): Promise<{ reply: Reply; givenUp: GivenUp | null }> {
  for (let tries = 1; ; tries += 1) {
    const reply = await ask(model)
    if (!isPassing(reply)) return { reply, givenUp: null }
    const wait = waitMs(tries - 1, retryAfterMs(reply.headers), random)
    if (tries > retries || wait > longestWaitMs || trial.signal.aborted)
      return { reply, givenUp: { tries, wait } }
    steps.push(stepOf(reply, stage, { verdict: 'failed', reason: `HTTP ${reply.status}` }))
    await Bun.sleep(wait)
  }
}

function isPassing({ answer, status }: Reply): boolean {
  return answer === null && (status < 400 || [408, 409, 429].includes(status) || status >= 500)
}

function unavailable(
  whom: string,
  { reply, givenUp, steps }: { reply: Reply; givenUp: GivenUp; steps: readonly Step[] },
): SluiceError {
  const found = `HTTP ${reply.status} after ${givenUp.tries} tries`
  const after = String(Math.max(1, Math.ceil(givenUp.wait / 1_000)))
  // Where a rung was paid for, an SDK must not begin another climb by itself.
  const paid = steps.some(({ status }) => status < 400)
  return new SluiceError(503, 'rung-unavailable', `asking ${whom}: ${found}`, {
    headers: { 'retry-after': after, ...(paid ? noRetry : {}) },
  })
}

function stepOf(
  { model, exchange, status, costMicros, ms }: Reply,
  stage: Step['stage'],
  { verdict, reason }: Pick<Step, 'verdict' | 'reason'>,
): Step {
  return {
    stage,
    model,
    exchange_id: exchange,
    status,
    verdict,
    reason,
    cost_micros: costMicros,
    judge_micros: 0,
    ms,
  }
}
