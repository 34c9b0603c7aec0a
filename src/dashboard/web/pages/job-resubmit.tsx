import { useEffect, useState } from 'react'
import { api, type RowDetail } from '../data/api.ts'
import { call } from '../data/client.ts'
import { go, hrefOf } from '../data/place.ts'
import { Failure, Loading } from '../ui/bits.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { FormDialog, typed } from '../ui/form-dialog.tsx'
import { useSay } from '../ui/notices.tsx'

/** A new job with another input; the old one stays as it is. */
export function ResubmitDialog({ job, onClose }: { job: RowDetail; onClose: () => void }) {
  const [text, setText] = useState<string | null>(null)
  const [error, setError] = useState<Error | null>(null)
  const say = useSay()
  const title = `Edit and resubmit ${job.kind}`

  useEffect(() => {
    call<unknown>('GET', api.rowPart(job.id, 'input')).then(
      (input) => setText(JSON.stringify(input, null, 2)),
      setError,
    )
  }, [job.id])

  const submit = async () => {
    const { kind, priority, attempts, tags, concurrency_key, concurrency_limit } = job
    const keyed = concurrency_key === null ? {} : { concurrency_key, concurrency_limit }
    const again = (input: string) => ({ kind, input, priority, attempts, tags, ...keyed, retry_of: job.id })
    const { id } = await api.submit(typed('input', text ?? '', again))
    say('It is submitted')
    onClose()
    go(hrefOf(['jobs', id]))
  }
  if (text === null) {
    return (
      <Dialog title={title} wide onClose={onClose}>
        {error === null ? <Loading /> : <Failure error={error} />}
      </Dialog>
    )
  }
  return (
    <FormDialog title={title} action="Submit" wide onSave={submit} onClose={onClose}>
      <Field label="Input, as JSON" name="input">
        {(control) => (
          <textarea
            {...control}
            rows={18}
            spellCheck={false}
            value={text}
            onChange={({ target }) => setText(target.value)}
          />
        )}
      </Field>
    </FormDialog>
  )
}
