import { useState } from 'react'
import { api, type NewRuleView, type RuleView } from '../data/api.ts'
import { useHouseOperator } from '../data/session.ts'
import { useFresh } from '../data/use-fresh.ts'
import { useLoad } from '../data/use-load.ts'
import { Badge, Empty, Failure, Loading, Time } from '../ui/bits.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { useSay } from '../ui/notices.tsx'
import { RuleDialog, said } from './alert-dialog.tsx'
import { Rules } from './alert-rules.tsx'

type Open = { what: 'form'; rule: RuleView | null } | { what: 'remove'; rule: RuleView }

/** What somebody is told of, and what they were told. */
export function AlertsPage() {
  const rules = useLoad('rules', (signal) => api.rules({ signal }))
  const events = useLoad('events', (signal) => api.alertEvents({ signal }))
  const [open, setOpen] = useState<Open | null>(null)
  const [made, setMade] = useState<NewRuleView | null>(null)
  const operator = useHouseOperator()
  const reload = () => {
    rules.reload()
    events.reload()
  }
  useFresh(!rules.loading && open === null, reload, { everyMs: 10_000 })
  const say = useSay()
  const saved = (rule: NewRuleView) => {
    setOpen(null)
    rules.reload()
    if (rule.webhook_secret !== null) setMade(rule)
    say('The rule is saved')
  }
  const remove = async (rule: RuleView) => {
    await api.removeRule(rule.id)
    setOpen(null)
    reload()
    say('The rule is removed')
  }
  return (
    <>
      <div className="head">
        <h1>Alerts</h1>
        {operator && (
          <div className="actions">
            <button type="button" className="primary" onClick={() => setOpen({ what: 'form', rule: null })}>
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
        <Rules
          rules={rules.value.items}
          operator={operator}
          onDone={rules.reload}
          onEdit={(rule) => setOpen({ what: 'form', rule })}
          onRemove={(rule) => setOpen({ what: 'remove', rule })}
        />
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
      {open?.what === 'form' && <RuleDialog rule={open.rule} onClose={() => setOpen(null)} onDone={saved} />}
      {open?.what === 'remove' && (
        <FormDialog
          title="Remove this rule?"
          action="Remove it"
          danger
          onSave={() => remove(open.rule)}
          onClose={() => setOpen(null)}
        >
          <p>{said(open.rule)}</p>
          <p>Nobody is told of that any more, and what was told of it goes from the list.</p>
        </FormDialog>
      )}
      {made !== null && (
        <Dialog title="The secret of its webhooks" onClose={() => setMade(null)}>
          <p>Shown this once. What is sent is signed with it, by the Standard Webhooks scheme.</p>
          <pre>{made.webhook_secret}</pre>
        </Dialog>
      )}
    </>
  )
}
