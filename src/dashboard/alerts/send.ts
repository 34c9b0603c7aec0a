import { Webhook } from 'standardwebhooks'
import { isoTime } from '#lib/clock'
import { safeRequest } from '#lib/safe-request'

export type Message = { id: string; type: string; data: Record<string, unknown> }
export type Target = { url: string; secret: string; allowPrivate: boolean }

/**
 * Once, signed by the Standard Webhooks scheme. @returns the status that the receiver answered
 * @throws SluiceError 422 where it must not be asked; 502 where it does not answer
 */
export async function sendSigned({ id, type, data }: Message, target: Target): Promise<number> {
  const time = new Date()
  const body = JSON.stringify({ type, timestamp: isoTime(time.getTime()), data })
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'sluice',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(time.getTime() / 1000)),
    'webhook-signature': new Webhook(target.secret).sign(id, time, body),
  }
  const { url, allowPrivate } = target
  return (await safeRequest({ url, method: 'POST', headers, body, allowPrivate, cut: true })).status
}
