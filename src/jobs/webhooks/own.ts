import { z } from 'zod'
import { newId } from '#lib/ids'
import { checkUrlAt } from '#lib/safe-request'
import { type Ended, ended } from '../states.ts'
import { newSecret, type Receivers, sealed, secret } from './receivers.ts'

export const receiverUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).max(2_000)

export const events = z
  .array(z.enum(ended))
  .min(1)
  .max(ended.length)
  .meta({ description: 'States that a job ends in' })

/** A receiver that is told of one job alone, given with it. */
export const ownWebhook = z.strictObject({
  url: receiverUrl,
  secret: secret.optional(),
  events: events.default([...ended]),
})

/** What is answered to whoever gave one. */
export const ownWebhookView = z
  .object({
    id: z.uuid(),
    secret: z.string().nullable().meta({ description: 'Where it was made; shown this once' }),
  })
  .meta({ description: 'Of its own' })

/** As it is stored with its job. */
export type OwnWebhook = {
  id: string
  url: string
  sealed: string
  events: readonly Ended[]
  /** To be shown once, where it was not given. */
  made: string | null
}

/** @throws InputError 422 `bad-url`, `address-refused` where it must not be asked */
export function madeOwn(
  { url, secret: given, events }: z.infer<typeof ownWebhook>,
  receivers: Receivers,
): OwnWebhook {
  checkUrlAt('/webhook/url', url, receivers.allowPrivate)
  const id = newId()
  const plain = given ?? newSecret()
  return { id, url, events, sealed: sealed(receivers, id, plain), made: given === undefined ? plain : null }
}
