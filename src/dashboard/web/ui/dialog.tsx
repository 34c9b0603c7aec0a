import { type ReactNode, type SubmitEvent, useLayoutEffect, useRef } from 'react'

type DialogProps = {
  title: string
  children: ReactNode
  /** Of the button that does it; none: the dialog only tells. */
  action?: string | undefined
  danger?: boolean | undefined
  wide?: boolean | undefined
  /** It is being done. */
  busy?: boolean | undefined
  onAct?: (form: HTMLFormElement) => void
  /** Something was typed or chosen. */
  onInput?: (form: HTMLFormElement, name: string) => void
  onClose: () => void
}

/** The browser's own dialog: it keeps the cursor inside, Escape closes it, and the cursor goes back where it was. */
export function Dialog(props: DialogProps) {
  const { title, children, action, danger = false, wide = false, busy = false } = props
  const { onAct, onInput, onClose } = props
  const place = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const dialog = place.current
    dialog?.showModal()
    // One that is only taken away leaves the cursor nowhere.
    return () => dialog?.close()
  }, [])

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    // Enter in a field counts as the button, also where there is none.
    if (!busy && action !== undefined) onAct?.(event.currentTarget)
  }
  return (
    <dialog ref={place} className={wide ? 'wide' : ''} onClose={onClose} aria-label={title}>
      <form
        onSubmit={submit}
        onInput={({ currentTarget, target }) => {
          const name = 'name' in target ? String(target.name) : ''
          onInput?.(currentTarget, name)
        }}
        aria-busy={busy}
      >
        <h2>{title}</h2>
        <div className="body">{children}</div>
        <footer>
          <button type="button" onClick={onClose}>
            {action === undefined ? 'Close' : 'Cancel'}
          </button>
          {action !== undefined && (
            <button type="submit" className={danger ? 'danger' : 'primary'} aria-disabled={busy}>
              {busy ? 'Wait…' : action}
            </button>
          )}
        </footer>
      </form>
    </dialog>
  )
}
