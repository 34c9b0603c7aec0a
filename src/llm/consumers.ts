import type { Sql } from 'postgres'
import type { Handler } from '#broker'
import { unclassified } from '#capture'
import type { ClassificationPayload } from '#queues/classification'
import type { ClassifyExchanges } from './classify/classify.ts'

/** Classifies exchanges by id. A job that is tried again does what is left of it. */
export function classificationHandler(options: {
  sql: Sql
  classify: ClassifyExchanges
}): Handler<ClassificationPayload> {
  const { sql, classify } = options
  return async ({ ids }, { signal }) => await classify(await unclassified(sql, ids), { signal })
}
export { webhookHandler } from './money/alerts.ts'
export { sealBudgetSecrets } from './money/secrets.ts'
