import type { Change, ClientCall, Interest, Portal } from '../portal/portal.ts'
import { codes, rpcError } from '../wire/codes.ts'
import { metaKeys } from '../wire/envelope.ts'
import type { Answer, Id, RawJson } from '../wire/message.ts'
import { elementsOf, memberOf, withMember } from '../wire/raw-json.ts'

export type Subscriptions = {
  serve(call: ClientCall, id: Id): Promise<Answer>
  /** Ends all of them with their result: the gateway stops. */
  close(): void
  size(): number
}

/** `subscriptions/listen` of the modern era: first says what it will tell of, then tells of it. */
export function openSubscriptions(portal: Portal): Subscriptions {
  const open = new Set<() => void>()
  return {
    async serve({ client, params, notify, signal }, id) {
      const filter = memberOf(params, 'notifications')
      const interest = filter === null ? null : interestOf(filter)
      if (interest === null)
        return { error: rpcError(codes.invalidParams, 'Invalid params: notifications must be a filter') }
      const tag = `{${JSON.stringify(metaKeys.subscription)}:${JSON.stringify(id)}}`
      notify('notifications/subscriptions/acknowledged', `{"_meta":${tag},"notifications":${told(interest)}}`)
      const over = Promise.withResolvers<void>()
      const stop = portal.listen(client, interest, (change) => {
        const { method, params } = changeNotification(change)
        notify(method, withMember(params, '_meta', tag))
      })
      signal.addEventListener('abort', () => over.resolve(), { once: true })
      open.add(over.resolve)
      await over.promise
      open.delete(over.resolve)
      stop()
      const meta = withMember(tag, metaKeys.server, portal.offer(client).serverInfo)
      return { result: `{"resultType":"complete","_meta":${meta}}` }
    },
    close() {
      for (const end of [...open]) end()
    },
    size: () => open.size,
  }
}

/** As a notification of either era. */
export function changeNotification(change: Change): { method: string; params: RawJson } {
  if (change.kind === 'resource') return { method: 'notifications/resources/updated', params: change.params }
  return { method: `notifications/${change.kind}/list_changed`, params: '{}' }
}

function interestOf(filter: RawJson): Interest | null {
  if (!filter.startsWith('{')) return null
  const uris = memberOf(filter, 'resourceSubscriptions') ?? '[]'
  const wants = (name: string) => memberOf(filter, name) === 'true'
  if (!uris.startsWith('[')) return null
  return {
    tools: wants('toolsListChanged'),
    prompts: wants('promptsListChanged'),
    resources: wants('resourcesListChanged'),
    resourceUris: elementsOf(uris).flatMap((uri) => (uri.startsWith('"') ? [String(JSON.parse(uri))] : [])),
  }
}

function told({ tools, prompts, resources, resourceUris }: Interest): RawJson {
  return JSON.stringify({
    ...(tools ? { toolsListChanged: true } : {}),
    ...(prompts ? { promptsListChanged: true } : {}),
    ...(resources ? { resourcesListChanged: true } : {}),
    ...(resourceUris.length > 0 ? { resourceSubscriptions: resourceUris } : {}),
  })
}
