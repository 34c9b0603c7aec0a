import type { QueueView } from '../data/api.ts'

type Point = { done: number; failed: number }

const minutes = 60

/** The last hour, minute by minute: what was done, and on top what failed. */
export function Chart({ series, small = false }: { series: QueueView['series']; small?: boolean }) {
  const points = hourOf(series)
  const most = Math.max(1, ...points.map(({ done, failed }) => done + failed))
  const height = small ? 24 : 120
  const width = small ? 120 : 720
  const step = width / minutes
  const bar = (value: number) => (value / most) * (height - 2)
  const total = points.reduce((sum, { done, failed }) => sum + done + failed, 0)
  return (
    <svg
      className={small ? 'chart small' : 'chart'}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${total} ended in the last hour, ${most} in the busiest minute`}
    >
      {points.map(({ done, failed }, n) => (
        // Their place is what they are.
        // biome-ignore lint/suspicious/noArrayIndexKey: minutes have no other name
        <g key={n}>
          {done + failed === 0 && (
            <rect className="none" x={n * step} y={height - 1} width={step - 1} height={1} />
          )}
          <rect className="done" x={n * step} y={height - bar(done)} width={step - 1} height={bar(done)} />
          <rect
            className="failed"
            x={n * step}
            y={height - bar(done + failed)}
            width={step - 1}
            height={bar(failed)}
          />
          {!small && <title>{`${minutes - 1 - n} min ago: ${done} done, ${failed} failed`}</title>}
        </g>
      ))}
    </svg>
  )
}

function hourOf(series: QueueView['series']): Point[] {
  const now = Math.floor(Date.now() / 60_000)
  const points = Array.from({ length: minutes }, () => ({ done: 0, failed: 0 }))
  for (const { minute, done, failed } of series) {
    const back = now - Math.floor(Date.parse(minute) / 60_000)
    if (back >= 0 && back < minutes) points[minutes - 1 - back] = { done, failed }
  }
  return points
}
