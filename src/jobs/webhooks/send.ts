import { Webhook } from 'standardwebhooks'
import { isoTime } from '#lib/clock'
import { cleanText, errorText, SluiceError } from '#lib/errors'
import { safeRequest } from '#lib/safe-request'
import { opened, type Receivers } from './receivers.ts'
import { secondsOf } from './waits.ts'

export type Sending = {
  id: string
  webhook_id: string
  job_id: string | null
  event: string
  data: { result_bytes?: number | null; file_bytes?: number | null }
  created_at: string
  url: string
  /** Sealed; all of them sign. */
  secrets: readonly string[]
}

export type Outcome = {
  delivered: boolean
  /** No further try can help. */
  final: boolean
  status: number | null
  /** How long the receiver wants to be left alone, in s; null: it does not say. */
  retryAfterS: number | null
  tookMs: number
  answer: string | null
  error: string | null
}

export type SendOptions = Receivers & {
  /** @default 10_000 */
  timeoutMs?: number
}

const gone = 410
/** Where `Retry-After` is about trying again. */
const busy = new Set([429, 503])
const mostAnswer = 4_096
const shownAnswer = 300

/** One try, signed by the Standard Webhooks scheme. Whatever happens is an outcome. */
export async function send(sending: Sending, options: SendOptions): Promise<Outcome> {
  const began = performance.now()
  const result = await attempt(sending, options).catch((error: unknown) => ({ error }))
  const tookMs = Math.round(performance.now() - began)
  if ('error' in result) {
    const final = result.error instanceof SluiceError && result.error.status === 422
    const error = errorText(result.error, 300)
    return { delivered: false, final, status: null, retryAfterS: null, tookMs, answer: null, error }
  }
  const { status, text, retryAfter } = result
  const delivered = status >= 200 && status < 300
  const error = delivered ? null : `the receiver answered ${status}${explained(status)}`
  const answer = cleanText(text).slice(0, shownAnswer) || null
  const retryAfterS = busy.has(status) ? secondsOf(retryAfter) : null
  return { delivered, final: status === gone, status, retryAfterS, tookMs, answer, error }
}

async function attempt(
  sending: Sending,
  options: SendOptions,
): Promise<{ status: number; text: string; retryAfter: string | undefined }> {
  const { id, webhook_id, url, secrets } = sending
  const { vault, allowPrivate, timeoutMs = 10_000 } = options
  const time = new Date()
  const body = bodyOf(sending)
  const signatures = secrets.map((one) =>
    new Webhook(opened({ vault }, webhook_id, one)).sign(id, time, body),
  )
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'sluice',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(time.getTime() / 1_000)),
    'webhook-signature': signatures.join(' '),
  }
  const answer = await safeRequest({
    ...{ url, method: 'POST', headers, body, allowPrivate },
    ...{ timeoutMs, maxBytes: mostAnswer, cut: true },
  })
  return { status: answer.status, text: answer.text, retryAfter: answer.headers['retry-after'] }
}

/** The same at each try: what the job was when it ended, and where the rest is. */
function bodyOf({ job_id, event, data, created_at }: Sending): string {
  const timestamp = isoTime(Date.parse(created_at))
  if (job_id === null) return JSON.stringify({ type: `webhook.${event}`, timestamp, data })
  const self = `/api/jobs/${job_id}`
  const file = data.file_bytes == null ? {} : { file: `${self}/file` }
  const result = data.result_bytes == null ? {} : { result: `${self}/result` }
  return JSON.stringify({
    ...{ type: `job.${event}`, timestamp },
    data: { ...data, links: { self, ...result, ...file } },
  })
}

function explained(status: number): string {
  if (status === gone) return ': it is gone'
  return status >= 300 && status < 400 ? ': redirects are not followed' : ''
}
