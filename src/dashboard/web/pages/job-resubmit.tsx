import { useEffect, useState } from 'react'
import { api, type RowDetail } from '../data/api.ts'
import { call } from '../data/client.ts'
import { go, hrefOf } from '../data/place.ts'
import { Dialog } from '../ui/dialog.tsx'
import { useAct } from '../ui/notices.tsx'

/** A new job with another input; the old one stays as it is. */
export function ResubmitDialog({ job, onClose }: { job: RowDetail; onClose: () => void }) {
  const [text, setText] = useState<string | null>(null)
  const [wrong, setWrong] = useState<string | null>(null)
  const act = useAct()

  useEffect(() => {
    call<unknown>('GET', api.rowPart(job.id, 'input')).then(
      (input) => setText(JSON.stringify(input, null, 2)),
      (error: Error) => setWrong(error.message),
    )
  }, [job.id])

  const submit = async () => {
    let input: unknown
    try {
      input = JSON.parse(text ?? '')
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error))
      return
    }
    const { kind, priority, attempts, tags, concurrency_key, concurrency_limit } = job
    const keyed = concurrency_key === null ? {} : { concurrency_key, concurrency_limit }
    let id = ''
    const made = await act('It is submitted', async () => {
      const again = { kind, input, priority, attempts, tags, ...keyed, retry_of: job.id }
      id = (await api.submit(again)).id
    })
    if (!made) return
    onClose()
    go(hrefOf(['jobs', id]))
  }
  return (
    <Dialog
      title={`Edit and resubmit ${job.kind}`}
      action="Submit"
      wide
      onAct={() => void submit()}
      onClose={onClose}
    >
      {wrong !== null && <p className="wrong">{wrong}</p>}
      {text === null ? (
        <p>Fetching the input…</p>
      ) : (
        <textarea
          aria-label="Input"
          rows={18}
          spellCheck={false}
          value={text}
          onChange={({ target }) => {
            setText(target.value)
            setWrong(null)
          }}
        />
      )}
    </Dialog>
  )
}
