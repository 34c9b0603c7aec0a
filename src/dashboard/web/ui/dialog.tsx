import { type ReactNode, type SubmitEvent, useEffect, useRef } from 'react'

type DialogProps = {
  title: string
  children: ReactNode
  /** Of the button that does it; none: the dialog only tells. */
  action?: string
  danger?: boolean
  wide?: boolean
  onAct?: (form: FormData) => void
  onClose: () => void
}

/** The browser's own dialog: it keeps the cursor inside, and Escape closes it. */
export function Dialog({
  title,
  children,
  action,
  danger = false,
  wide = false,
  onAct,
  onClose,
}: DialogProps) {
  const place = useRef<HTMLDialogElement>(null)
  useEffect(() => place.current?.showModal(), [])

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    onAct?.(new FormData(event.currentTarget))
  }
  return (
    <dialog ref={place} className={wide ? 'wide' : ''} onClose={onClose} aria-label={title}>
      <form onSubmit={submit}>
        <h2>{title}</h2>
        <div className="body">{children}</div>
        <footer>
          <button type="button" onClick={onClose}>
            {action === undefined ? 'Close' : 'Cancel'}
          </button>
          {action !== undefined && (
            <button type="submit" className={danger ? 'danger' : 'primary'}>
              {action}
            </button>
          )}
        </footer>
      </form>
    </dialog>
  )
}
