/** Numbers, sizes and times as people read them. */

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

export function count(value: number): string {
  return value < 100_000 ? whole.format(Math.round(value)) : short.format(value)
}

export function pace(perMinute: number): string {
  if (perMinute === 0) return '0'
  return perMinute < 10 ? perMinute.toFixed(1) : count(perMinute)
}

export function duration(ms: number | null | undefined): string {
  if (ms == null) return '–'
  if (ms < 1) return '<1 ms'
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const s = ms / 1_000
  if (s < 9.95) return `${s.toFixed(1)} s`
  const seconds = Math.round(s)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return twoUnits(minutes, 'm', seconds % 60, 's')
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return twoUnits(hours, 'h', minutes % 60, 'm')
  return twoUnits(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function twoUnits(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`
}

export function size(bytes: number | null): string {
  if (bytes === null) return '–'
  if (bytes < 1_024) return `${bytes} B`
  if (bytes < 1_024 ** 2) return `${(bytes / 1_024).toFixed(bytes < 10_240 ? 1 : 0)} KB`
  return `${(bytes / 1_024 ** 2).toFixed(1)} MB`
}

export function ago(iso: string, now = Date.now()): string {
  const ms = now - Date.parse(iso)
  if (ms < 0) return `in ${duration(-ms)}`
  return ms < 2_000 ? 'now' : `${coarse(ms)} ago`
}

/** Of two units, the larger one. */
function coarse(ms: number): string {
  return duration(ms).split(' ').slice(0, 2).join(' ')
}

export function moment(iso: string): string {
  return new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
}
