/**
 * What a frame of a stream says to somebody who only counts: `nothing` (text, arguments, signs of life); `counts` that
 * the next such frame replaces; whatever else `matters`, and so does what is not understood.
 */
export type Says = 'nothing' | 'counts' | 'matters'

/** Of one frame of server-sent events, its bytes as latin1. */
export type Skims = (frame: string) => Says

/** Anthropic: `content_block_start`, `_delta` and `_stop`, pings and comments. */
export const skimAnthropic: Skims = (frame) => (anthropicIdle.test(frame) ? 'nothing' : 'matters')
const anthropicIdle =
  /^(?::|(?:event: ?(?:content_block_[a-z]+|ping)\n)?data: ?\{\s*"type"\s*:\s*"(?:content_block_|ping"))/

/** A chunk without counts, errors and an end. Its model is that of the first, which is read. */
export const skimChat: Skims = (frame) => {
  if (frame.startsWith(':')) return 'nothing'
  return !frame.startsWith('data: {') || chatMatters.test(frame) ? 'matters' : 'nothing'
}
const chatMatters = /"(?:usage|error|x_groq|finish_reason)"\s*:\s*[^n\s]/

/** Parts of items as they grow, and items once they are complete: the response itself comes with its own events. */
export const skimResponses: Skims = (frame) => (responsesIdle.test(frame) ? 'nothing' : 'matters')
const responsesIdle =
  /^(?::|(?:event: ?[\w.]+\n)?data: ?\{\s*"type"\s*:\s*"response\.[a-z_.]+\.(?:delta|done|added)")/

/** Every chunk has all counts up to it. */
export const skimGemini: Skims = (frame) => {
  if (frame.startsWith(':')) return 'nothing'
  if (!frame.startsWith('data: {') || geminiMatters.test(frame)) return 'matters'
  return frame.includes('"usageMetadata"') ? 'counts' : 'nothing'
}
const geminiMatters = /"(?:error|finishReason|blockReason)"\s*:/

/** Past this a frame is handed on in pieces, and so is all that follows. */
const longestFrame = 1024 * 1024
const newline = 10
/** A character a byte. */
const latin1 = new TextDecoder('latin1')

/**
 * Hands on those frames of a stream that matter to who only counts. Parsing each frame takes 2 µs and more, a look at
 * one 0.3. A stream in another form than one frame after the other with LF between is handed on as it is.
 */
export function skimmer(
  says: Skims,
  onward: (bytes: Uint8Array) => void,
): { push(chunk: Uint8Array): void; end(): void } {
  let rest: Uint8Array | null = null
  let held: Uint8Array | null = null
  let isFirst = true
  let asItIs = false

  return {
    push(chunk) {
      if (asItIs) return onward(chunk)
      const bytes = rest === null ? chunk : Buffer.concat([rest, chunk])
      rest = null
      frames(bytes)
    },
    end() {
      passOn(rest)
      rest = null
    },
  }

  function frames(bytes: Uint8Array): void {
    const text = latin1.decode(bytes)
    let start = 0
    for (;;) {
      const gap = text.indexOf('\n\n', start)
      if (gap === -1) break
      let end = gap + 2
      while (bytes[end] === newline) end += 1
      const isAll = start === 0 && end === bytes.byteLength
      frame(isAll ? text : text.slice(start, end), isAll ? bytes : bytes.subarray(start, end))
      start = end
    }
    if (start < bytes.byteLength) remember(bytes.subarray(start), text)
  }

  function frame(text: string, bytes: Uint8Array): void {
    const said = isFirst ? 'matters' : says(text)
    if (!text.startsWith(':')) isFirst = false
    if (said === 'counts') held = bytes
    else if (said === 'matters') passOn(bytes)
  }

  /** A frame that is not complete. CR between lines is allowed and rare. */
  function remember(bytes: Uint8Array, text: string): void {
    if (bytes.byteLength <= longestFrame && !text.includes('\r')) {
      rest = bytes.slice()
      return
    }
    asItIs = true
    passOn(bytes)
  }

  function passOn(bytes: Uint8Array | null): void {
    if (held !== null) onward(held)
    held = null
    if (bytes !== null) onward(bytes)
  }
}
