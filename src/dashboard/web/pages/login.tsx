import { useState } from 'react'
import { api, type Me } from '../data/api.ts'

/** The key is sent once, for a cookie that no script can read. */
export function LoginPage({ note, onLogin }: { note: string | null; onLogin: (me: Me) => void }) {
  const [error, setError] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  const submit = async (form: FormData) => {
    setBusy(true)
    setError(null)
    try {
      onLogin(await api.login(String(form.get('key')).trim()))
    } catch (reason) {
      setError(reason instanceof Error ? reason.message : String(reason))
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className="login">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit(new FormData(event.currentTarget))
        }}
      >
        <p className="brand">
          <span className="mark" aria-hidden="true" />
          <span>Sluice</span>
        </p>
        <h1>Queues and jobs</h1>
        {note !== null && <p role="status">{note}</p>}
        <input name="username" autoComplete="username" defaultValue="sluice" hidden />
        <label>
          Sluice key
          <input
            name="key"
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            placeholder="sk-sluice-…"
            required
          />
        </label>
        {error !== null && (
          <p className="wrong" role="alert">
            {error}
          </p>
        )}
        <button type="submit" className="primary" disabled={busy}>
          Log in
        </button>
        <p className="faint">
          The scope <code>read</code> looks, <code>operator</code> acts. The session ends after 30 minutes
          without use.
        </p>
      </form>
    </div>
  )
}
