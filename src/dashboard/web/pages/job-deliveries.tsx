import { api } from '../data/api.ts'
import { useOperator } from '../data/session.ts'
import { useLoad } from '../data/use-load.ts'
import { Badge, Time } from '../ui/bits.tsx'
import { useAct } from '../ui/notices.tsx'

const colours: Record<string, string> = { delivered: 'succeeded', failed: 'failed' }

/** Who was told of the job's end. */
export function Deliveries({ id, ended }: { id: string; ended: boolean }) {
  const { value, reload } = useLoad(`deliveries ${id} ${ended}`, (signal) => api.deliveriesOf(id, { signal }))
  const act = useAct()
  const operator = useOperator()
  if (value === undefined || value.items.length === 0) return null
  const again = async (delivery: string) => {
    if (await act('It is sent again', () => api.redeliver(delivery))) reload()
  }
  return (
    <section className="card">
      <h2>Webhooks</h2>
      <table>
        <tbody>
          {value.items.map(({ id: delivery, event, state, tries, status, error, created_at }) => (
            <tr key={delivery}>
              <td>{event}</td>
              <td>
                <Badge state={colours[state] ?? 'scheduled'}>{state}</Badge>
              </td>
              <td className="text wide">
                {tries} {tries === 1 ? 'try' : 'tries'}
                {status !== null && `, answered ${status}`}
                {error !== null && <p className="error">{error}</p>}
              </td>
              <td>
                <Time iso={created_at} />
              </td>
              <td className="act">
                {operator && (
                  <button type="button" className="small" onClick={() => void again(delivery)}>
                    Send again
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
