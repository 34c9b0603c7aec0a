import { useContext, useEffect, useState } from 'react'
import { api } from '../data/api.ts'
import { ago } from '../data/format.ts'
import { Wrong } from '../ui/field.tsx'

type Found = { times: string[] } | { error: string }

const restMs = 250

/** When a cron comes next, by the clock that submits: asked when the typing rests. */
export function NextTimes({ cron, zone }: { cron: string; zone: string }) {
  const { fields } = useContext(Wrong)
  const [found, setFound] = useState<Found | null>(null)
  useEffect(() => {
    const stop = new AbortController()
    const timer = setTimeout(() => {
      api.previewTimes({ cron, time_zone: zone }, { signal: stop.signal }).then(
        ({ upcoming }) => setFound({ times: upcoming }),
        (error: Error) => !stop.signal.aborted && setFound({ error: error.message.replace(/^\/\w+: /, '') }),
      )
    }, restMs)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [cron, zone])

  if (found === null) return <p className="times hint">Asking when that is…</p>
  if ('error' in found)
    return (
      <p className="times wrong" role="status">
        {fields.has('cron') || fields.has('time_zone') ? '–' : found.error}
      </p>
    )
  return (
    <ul className="times" role="status" aria-label="The next times">
      {found.times.map((time) => (
        <li key={time}>
          <time dateTime={time}>{inZone(time, zone)}</time> <span className="faint">{ago(time)}</span>
        </li>
      ))}
    </ul>
  )
}

function inZone(iso: string, timeZone: string): string {
  const date = new Date(iso)
  const day = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' } as const
  const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' } as const
  try {
    return date.toLocaleString('en-GB', { ...day, ...clock, timeZone })
  } catch {
    return date.toLocaleString('en-GB', { ...day, ...clock })
  }
}
