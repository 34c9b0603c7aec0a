import { api, type RuleView } from '../data/api.ts'
import { Badge, Time } from '../ui/bits.tsx'
import { useAct } from '../ui/notices.tsx'
import { said } from './alert-dialog.tsx'

type RulesProps = {
  rules: RuleView[]
  operator: boolean
  onDone: () => void
  onEdit: (rule: RuleView) => void
  onRemove: (rule: RuleView) => void
}

const colours = { ok: 'succeeded', pending: 'paused', firing: 'failed' }

/** What is watched, and how it stands. */
export function Rules({ rules, ...rest }: RulesProps) {
  return (
    <table>
      <thead>
        <tr>
          <th>Rule</th>
          <th>State</th>
          <th className="wide">Since</th>
          <th className="wide">Webhook</th>
          {rest.operator && <th />}
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <Rule key={rule.id} rule={rule} {...rest} />
        ))}
      </tbody>
    </table>
  )
}

function Rule({ rule, operator, ...on }: Omit<RulesProps, 'rules'> & { rule: RuleView }) {
  return (
    <tr>
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
      {operator && (
        <td className="act">
          <Actions rule={rule} {...on} />
        </td>
      )}
    </tr>
  )
}

function Actions({
  rule,
  onDone,
  onEdit,
  onRemove,
}: Omit<RulesProps, 'rules' | 'operator'> & { rule: RuleView }) {
  const act = useAct()
  const { id, enabled, webhook_url, webhook_error } = rule
  const doIt = async (done: string, work: () => Promise<unknown>) => {
    if (await act(done, work)) onDone()
  }
  const test = () =>
    act('A test was sent: its receiver has taken it', async () => {
      const { delivered, error } = await api.testRule(id)
      if (!delivered) throw new Error(`A test was sent, and not taken: ${error}`)
    })
  return (
    <>
      {webhook_error !== null && (
        <button
          type="button"
          className="small"
          onClick={() => void doIt('It will be told again', () => api.changeRule(id, { webhook_url }))}
        >
          Webhook on
        </button>
      )}
      {webhook_url !== null && (
        <button type="button" className="small" onClick={() => void test()}>
          Test
        </button>
      )}
      <button
        type="button"
        className="small"
        onClick={() =>
          void doIt(enabled ? 'It is off' : 'It is on', () => api.changeRule(id, { enabled: !enabled }))
        }
      >
        {enabled ? 'Turn off' : 'Turn on'}
      </button>
      <button type="button" className="small" onClick={() => onEdit(rule)}>
        Edit
      </button>
      <button type="button" className="small danger" onClick={() => onRemove(rule)}>
        Remove
      </button>
    </>
  )
}
