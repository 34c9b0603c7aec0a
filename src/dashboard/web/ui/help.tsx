import { useState } from 'react'
import { useKeys } from '../data/keys.ts'
import { Dialog } from './dialog.tsx'

const keys = [
  ['1 – 6', 'the pages, in their order'],
  ['j  k', 'next, previous row'],
  ['Enter', 'open the row'],
  ['x', 'select the row'],
  ['/', 'search'],
  ['Esc', 'back, or leave the field'],
  ['?', 'this'],
] as const

export function Help() {
  const [open, setOpen] = useState(false)
  useKeys({ '?': () => setOpen(true), escape: () => history.back() })
  if (!open) return null
  return (
    <Dialog title="Keys" onClose={() => setOpen(false)}>
      <dl className="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
