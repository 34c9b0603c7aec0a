import { z } from 'zod'
import { type Classes, classes } from '#capture'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { CacheStore } from '../cache/store.ts'
import type { ModelOpinion, ModelQuestion } from './model.ts'
import { moreSensitive } from './rules/sensitivity.ts'
import { titleOf } from './rules/title.ts'
import { classifyByRules } from './rules.ts'
import type { Subject } from './subject.ts'

export type Classified = {
  classes: Classes
  title: string | null
  /** `rules`, or provider and model. */
  source: string
}

export type Classifier = {
  /**
   * Never rejects: where the model cannot be asked, may not be, or answers badly, the rules have the word.
   * `patient` waits for its turn when too many were asked in this minute, which otherwise is left to the rules too.
   */
  classify(subject: Subject, about: AskedAbout): Promise<Classified>
}

export type AskedAbout = {
  tenant: string
  /** Who answered the exchange. */
  provider: string | null
  signal: AbortSignal
  patient?: boolean
}

export type ClassifierOptions = {
  log: Logger
  /** What a model found for the same words, for an hour; to ask the rules again costs no more than to look. */
  cache: Pick<CacheStore, 'get' | 'put'>
  /** Null: rules only. */
  model: ModelAccess | null
}

export type ModelAccess = {
  /** `anthropic/claude-haiku-4-5` */
  name: string
  ask(question: ModelQuestion): Promise<ModelOpinion>
  /** Resolves with false where there is no turn now; waits for one if `patient`. */
  turn(patient: boolean, signal: AbortSignal): Promise<boolean>
  /** Is it on the operator's own machines? Then it may see everything. */
  own: boolean
  /** Is that provider? What its user kept on own machines does not leave them to be classified. */
  isOwn(provider: string | null): boolean
}

const cacheSeconds = 3_600
/** Part of what names a result: rules that have changed find something else. */
const version = 1
const failuresBeforeRest = 3
const restMs = 60_000

const kept = z.object({ classes, title: z.string().nullable(), source: z.string() })

export function openClassifier({ log, cache, model }: ClassifierOptions): Classifier {
  let failures = 0
  let restsUntil = 0

  return {
    async classify(subject, about) {
      if (model === null) return byRules(subject)
      const key = keyOf(subject, about, model.name)
      const known = await cache.get(key)
      if (known !== null) return kept.parse(JSON.parse(Buffer.from(known).toString()))
      const found = await find(model, subject, about)
      // What the rules said for want of a turn is not held against the next who asks.
      if (found.source !== 'rules') await cache.put(key, Buffer.from(JSON.stringify(found)), cacheSeconds)
      return found
    },
  }

  async function find(model: ModelAccess, subject: Subject, about: AskedAbout): Promise<Classified> {
    const ruled = byRules(subject)
    if (!mayAsk(model, ruled.classes, about) || performance.now() < restsUntil) return ruled
    if (!(await model.turn(about.patient ?? false, about.signal))) return ruled
    try {
      const { title: named, ...said } = await model.ask({
        subject,
        tenant: about.tenant,
        signal: about.signal,
      })
      failures = 0
      // A secret that a rule found is there, whatever a model thinks of it.
      const sensitivity = moreSensitive(said.sensitivity, ruled.classes.sensitivity)
      return { classes: { ...said, sensitivity }, title: named ?? ruled.title, source: model.name }
    } catch (error) {
      failed(error)
      return ruled
    }
  }

  function failed(error: unknown): void {
    failures += 1
    if (failures < failuresBeforeRest) return
    log.warn({ reason: errorText(error, 300) }, 'classification: the model fails, rules for a minute')
    restsUntil = performance.now() + restMs
    failures = 0
  }
}

function byRules(subject: Subject): Classified {
  return { classes: classifyByRules(subject), title: titleOf(subject.first), source: 'rules' }
}

/** Secrets and personal data stay where they are, and so does what never left the operator's own machines. */
function mayAsk(model: ModelAccess, { sensitivity }: Classes, { provider }: AskedAbout): boolean {
  if (model.own) return true
  return (sensitivity === 'public' || sensitivity === 'internal') && !model.isOwn(provider)
}

function keyOf(subject: Subject, { tenant }: AskedAbout, by: string): string {
  return Bun.SHA256.hash(JSON.stringify([version, by, tenant, subject]), 'hex')
}
