import { notificationFrame, readFrame } from '../wire/frame.ts'
import { memberOf } from '../wire/raw-json.ts'
import { type Delivery, deliver, pause } from './deliver.ts'
import type { Flight } from './flight.ts'

const acknowledged = 'notifications/subscriptions/acknowledged'
const lists = [
  ['toolsListChanged', 'notifications/tools/list_changed'],
  ['promptsListChanged', 'notifications/prompts/list_changed'],
  ['resourcesListChanged', 'notifications/resources/list_changed'],
] as const

/**
 * A modern client's `subscriptions/listen`, opened again for ever. The client hears of one acknowledgement only; after
 * each gap it is told that its lists may have changed.
 */
export async function subscribe(flight: Flight, delivery: Delivery): Promise<void> {
  let before = false
  const { signal } = flight.ending
  while (!signal.aborted) {
    let answered = false
    await deliver(flight, {
      ...delivery,
      patienceMs: Number.POSITIVE_INFINITY,
      pass(frame) {
        const message = readFrame(frame)
        answered ||= message?.kind === 'response'
        if (message?.kind !== 'notification' || message.method !== acknowledged) return delivery.pass(frame)
        if (before) for (const told of missed(flight)) delivery.pass(told)
        else delivery.pass(frame)
        before = true
      },
    })
    if (answered) return
    await pause(0, signal)
  }
}

function missed({ request: { id, params } }: Flight): string[] {
  const filter = memberOf(params, 'notifications') ?? '{}'
  const meta = JSON.stringify({ _meta: { 'io.modelcontextprotocol/subscriptionId': id } })
  return lists
    .filter(([name]) => memberOf(filter, name) === 'true')
    .map(([, method]) => notificationFrame(method, meta))
}
