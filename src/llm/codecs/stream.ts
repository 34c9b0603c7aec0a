import type { Relay } from './relay.ts'

export function streamThrough(
  relay: Relay,
): TransformStream<Uint8Array, Uint8Array> & { warnings(): string[] } {
  const stream = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const out = relay.push(chunk)
      if (out !== null) controller.enqueue(out)
    },
    flush(controller) {
      const out = relay.end()
      if (out !== null) controller.enqueue(out)
    },
  })
  return Object.assign(stream, { warnings: relay.warnings })
}
