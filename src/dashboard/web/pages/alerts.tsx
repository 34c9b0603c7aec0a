import { useState } from 'react'
import { api, type NewRuleView, type RuleView } from '../data/api.ts'
import { useHouseOperator } from '../data/session.ts'
import { useLoad } from '../data/use-load.ts'
import { Badge, Empty, Failure, Loading, Time } from '../ui/bits.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { useAct } from '../ui/notices.tsx'
import { RuleDialog, said } from './alert-dialog.tsx'

/** What somebody is told of, and what they were told. */
export function AlertsPage() {
  const rules = useLoad('rules', (signal) => api.rules({ signal }))
  const events = useLoad('events', (signal) => api.alertEvents({ signal }))
  const [open, setOpen] = useState(false)
  const [made, setMade] = useState<NewRuleView | null>(null)
  const operator = useHouseOperator()
  const done = (rule: NewRuleView) => {
    setOpen(false)
    rules.reload()
    if (rule.webhook_secret !== null) setMade(rule)
  }
  return (
    <>
      <div className="head">
        <h1>Alerts</h1>
        {operator && (
          <div className="actions">
            <button type="button" className="primary" onClick={() => setOpen(true)}>
              New rule
            </button>
          </div>
        )}
      </div>
      {rules.error !== null && <Failure error={rules.error} retry={rules.reload} />}
      {rules.value === undefined && rules.error === null && <Loading />}
      {rules.value?.items.length === 0 && (
        <Empty title="No rule yet">
          A rule watches a backlog, the oldest job, failures, or that workers are there.
        </Empty>
      )}
      {rules.value !== undefined && rules.value.items.length > 0 && (
        <Rules rules={rules.value.items} operator={operator} onDone={rules.reload} />
      )}
      {events.value !== undefined && events.value.items.length > 0 && (
        <section className="card">
          <h2>What was told</h2>
          <table>
            <tbody>
              {events.value.items.map((event) => (
                <tr key={event.id}>
                  <td>
                    <Time iso={event.at} />
                  </td>
                  <td>
                    <Badge state={event.type === 'fired' ? 'failed' : 'succeeded'}>{event.type}</Badge>
                  </td>
                  <td>{said(event)}</td>
                  <td className="wide faint text">
                    {event.error ?? (event.delivered_at === null ? 'no webhook, or not yet' : 'delivered')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {open && <RuleDialog onClose={() => setOpen(false)} onDone={done} />}
      {made !== null && (
        <Dialog title="The secret of its webhooks" onClose={() => setMade(null)}>
          <p>Shown this once. What is sent is signed with it, by the Standard Webhooks scheme.</p>
          <pre>{made.webhook_secret}</pre>
        </Dialog>
      )}
    </>
  )
}

type RulesProps = { rules: RuleView[]; operator: boolean; onDone: () => void }

const colours = { ok: 'succeeded', pending: 'paused', firing: 'failed' }

function Rules({ rules, operator, onDone }: RulesProps) {
  const act = useAct()
  const doIt = async (done: string, work: () => Promise<unknown>) => {
    if (await act(done, work)) onDone()
  }
  return (
    <table>
      <thead>
        <tr>
          <th>Rule</th>
          <th>State</th>
          <th className="wide">Since</th>
          <th className="wide">Webhook</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <tr key={rule.id}>
            <td className="text rule">
              {rule.name !== '' && (
                <p>
                  <b>
                    <bdi>{rule.name}</bdi>
                  </b>
                </p>
              )}
              {said(rule)}
              {rule.webhook_error !== null && <p className="bad">Webhook off: {rule.webhook_error}</p>}
            </td>
            <td>
              <Badge state={rule.enabled ? colours[rule.state] : 'cancelled'}>
                {rule.enabled ? rule.state : 'off'}
              </Badge>
            </td>
            <td className="wide">
              <Time iso={rule.since} />
            </td>
            <td className="wide faint text">{rule.webhook_url ?? 'none'}</td>
            <td className="act">
              {operator && (
                <>
                  {rule.webhook_error !== null && (
                    <button
                      type="button"
                      className="small"
                      onClick={() =>
                        void doIt('It will be told again', () =>
                          api.changeRule(rule.id, { webhook_url: rule.webhook_url }),
                        )
                      }
                    >
                      Webhook on
                    </button>
                  )}
                  <button
                    type="button"
                    className="small"
                    onClick={() =>
                      void doIt('It is changed', () => api.changeRule(rule.id, { enabled: !rule.enabled }))
                    }
                  >
                    {rule.enabled ? 'Off' : 'On'}
                  </button>
                  <button
                    type="button"
                    className="small danger"
                    onClick={() => void doIt('It is removed', () => api.removeRule(rule.id))}
                  >
                    Remove
                  </button>
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
