import { type ReactNode, useEffect, useRef, useState } from 'react'
import { ApiError } from '../data/client.ts'
import { jsonWith } from '../data/json-with.ts'
import { Dialog } from './dialog.tsx'
import { noneWrong, Wrong, type WrongFields, wrongFields } from './field.tsx'
import { useSay } from './notices.tsx'

type FormDialogProps = {
  title: string
  /** Of the button that saves; none: there is nothing to save yet. */
  action: string | undefined
  danger?: boolean
  wide?: boolean
  children: ReactNode
  /** Throws what the server refused with. */
  onSave: (form: FormData) => Promise<void>
  /** Something was typed or chosen. */
  onInput?: (form: FormData, name: string) => void
  onClose: () => void
}

/**
 * A dialog that does something. Refused, it stays as it was filled in; each field says what is wrong with it, and the
 * cursor goes to the first.
 */
export function FormDialog({ children, onSave, onInput, ...dialog }: FormDialogProps) {
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState<WrongFields>(noneWrong)
  const body = useRef<HTMLDivElement>(null)
  const say = useSay()

  const save = async (form: HTMLFormElement) => {
    setBusy(true)
    try {
      await onSave(new FormData(form))
    } catch (error) {
      // Closed meanwhile: there is no form to say it in.
      if (body.current === null) return say(String(error instanceof Error ? error.message : error), true)
      const names = [...form.elements].flatMap((one) => ('name' in one && one.name ? [String(one.name)] : []))
      setWrong(wrongFields(error, names))
    } finally {
      setBusy(false)
    }
  }
  useEffect(() => {
    const first = wrong.fields.size > 0 ? '[aria-invalid="true"]' : '[role="alert"]'
    const place = wrong === noneWrong ? null : body.current?.querySelector<HTMLElement>(first)
    place?.focus()
    place?.closest('.field')?.scrollIntoView({ block: 'nearest' })
  }, [wrong])

  return (
    <Dialog
      {...dialog}
      busy={busy}
      onAct={(form) => void save(form)}
      onInput={(form, name) => {
        onInput?.(new FormData(form), name)
        if (wrong.fields.has(name)) setWrong(without(wrong, name))
      }}
    >
      <Wrong value={wrong}>
        <div className="fields" ref={body}>
          {wrong.other.length > 0 && (
            <div className="failure" role="alert" tabIndex={-1}>
              <p>{wrong.other.join('; ')}</p>
            </div>
          )}
          {children}
        </div>
      </Wrong>
    </Dialog>
  )
}

function without({ fields, other }: WrongFields, name: string): WrongFields {
  const left = new Map(fields)
  left.delete(name)
  return { fields: left, other }
}

/** JSON of the whole with a part in it as it was typed into that field. @throws ApiError which names the field */
export function typed(name: string, text: string, whole: (part: string) => unknown): string {
  try {
    return jsonWith(text, whole)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const detail = `must be JSON: ${error.message}`
    throw new ApiError(422, 'bad-json', detail, [{ pointer: `/${name}`, detail }])
  }
}
