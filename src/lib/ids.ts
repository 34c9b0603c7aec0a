/** A UUIDv7 (RFC 9562): its first 48 bits are the time in ms, so ids sort by time and tables partition by id. */
export function newId(ms: number = Date.now()): string {
  return Bun.randomUUIDv7('hex', ms)
}

/** The smallest UUIDv7 of that millisecond: a bound for partitions and for time filters on ids. */
export function idFloor(ms: number): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`
}

/** The time in ms that a UUIDv7 carries. */
export function idTime(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/**
 * The ms before which every id is that is smaller than this one. Of a place in a list it is where to read on from: a ms
 * too late, at the start of a day, and the first thing read is a slice of that day which can hold nothing.
 */
export function idCeiling(id: string): number {
  const ms = idTime(id)
  return id === idFloor(ms) ? ms : ms + 1
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function isId(text: string): boolean {
  return uuid.test(text)
}
