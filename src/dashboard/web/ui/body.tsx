import { useMemo } from 'react'
import type { BodyView } from '../data/api.ts'
import { size } from '../data/format.ts'

/** JSON of a job: set out where it is whole, as it is where it was cut; all of it is a download. */
export function Body({ body, href, none }: { body: BodyView; href?: string; none: string }) {
  const text = useMemo(() => (body === null ? '' : set(body)), [body])
  if (body === null) return <p className="faint pad">{none}</p>
  return (
    <div className="json">
      <p className="bar">
        <span>
          {size(body.bytes)}
          {body.cut && ', the beginning is shown'}
        </span>
        {href !== undefined && (
          <a href={href} download>
            Download
          </a>
        )}
      </p>
      <pre>{text}</pre>
    </div>
  )
}

function set({ text, cut }: NonNullable<BodyView>): string {
  if (cut) return `${text}…`
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  } catch {
    return text
  }
}
