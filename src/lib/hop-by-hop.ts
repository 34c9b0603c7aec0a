/** RFC 9110, 7.6.1; `trailer` too, as trailers do not survive the way through. */
const perConnection = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** Removes the headers that belong to one connection, those that `Connection` names among them. */
export function dropHopByHop(headers: Headers): void {
  const named = headers.get('connection')
  if (named !== null) {
    for (const name of named.split(',')) {
      const option = name.trim()
      if (/^[\w!#$%&'*+.^`|~-]+$/.test(option) && !framing.has(option.toLowerCase())) headers.delete(option)
    }
  }
  for (const name of perConnection) headers.delete(name)
}

/** Says where a message ends: never taken away by a name in `Connection`. */
const framing = new Set(['content-length', 'content-encoding', 'content-type'])
