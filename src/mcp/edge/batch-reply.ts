import type { Hop } from '../record/recorder.ts'
import type { Accepts } from './accept.ts'
import type { Edge } from './edge.ts'
import type { Incoming } from './incoming.ts'
import type { Outlet } from './outlet.ts'
import { openReply } from './reply.ts'

/** One HTTP answer for several requests: a JSON array, or a stream where something precedes the results. */
export function batchReply(
  requests: number,
  { edge, incoming, hop, accepts }: { edge: Edge; incoming: Incoming; hop: Hop; accepts: Accepts },
): { reply: Promise<Response>; outlets: Outlet[] } {
  const { request, server } = incoming
  const frames: string[] = []
  let waiting = requests
  let streaming = false
  const reply = openReply({
    ...{ hop, accepts, heartbeat: edge.heartbeat, limits: edge.limits, headers: {} },
    ...{ resumable: false, priming: false, statusOf: () => 200, onGone: () => {} },
    onStream() {
      server?.timeout(request, 0)
      streaming = true
    },
  })
  const outlet: Outlet = {
    canSend: reply.canSend,
    send: reply.send,
    async finish(frame, { gone }) {
      if (frame !== null) frames.push(frame)
      waiting -= 1
      if (waiting > 0) return
      const done = { answer: { result: '{}' }, gone }
      if (!streaming) return await reply.finish(`[${frames.join(',')}]`, done)
      const last = frames.pop() ?? null
      for (const one of frames) reply.send(one)
      await reply.finish(last, done)
    },
  }
  return { reply: reply.response, outlets: Array.from({ length: requests }, () => outlet) }
}
