/** One event of a stream of server-sent events; `data` is sent as one line of JSON. */
export function sseEvent(event: { id?: string; event: string; data: unknown }): string {
  const id = event.id === undefined ? '' : `id: ${event.id}\n`
  return `${id}event: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`
}

export const sseHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Proxies in front (nginx) must not collect events.
  'x-accel-buffering': 'no',
}
