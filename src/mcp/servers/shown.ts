/** What of a row may be shown, of what is kept encrypted: enough to know it by. */

/** What stands for what is not shown. */
export const hidden = '…'

/** A URL: without its password, the values of its query, and parts of its path that nobody types. */
export function shownUrl(url: string): string {
  const [, start = '', path = '', rest = ''] =
    /^([a-z][a-z\d+.-]*:\/\/[^/?#]*)?([^?#]*)(.*)$/is.exec(url) ?? []
  const origin = start.replace(/:\/\/[^@]*@/, `://${hidden}@`)
  return origin + path.replace(/[^/]{20,}/g, hidden) + rest.replace(/=[^&#]*/g, `=${hidden}`)
}

/**
 * The arguments of a command, without what looks like a secret: what follows a flag that is named like one, the value
 * behind such a name, passwords in URLs, and what has the shape of a token.
 */
export function shownArgs(args: readonly string[]): string[] {
  return args.map((arg, at) => {
    const before = args[at - 1]
    if (before !== undefined && isSecretFlag(before) && !arg.startsWith('-')) return kept(arg) ?? hidden
    return shownArg(arg)
  })
}

function shownArg(arg: string): string {
  const [, name = '', sign = '', value = ''] = /^([\w.-]+)(=|:(?!\/\/)\s*)(.+)$/s.exec(arg) ?? []
  if (value !== '') return name + sign + (secretName.test(name) ? (kept(value) ?? hidden) : shownArg(value))
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(arg)) return shownUrl(arg)
  return token.test(arg) || arg.split(/[-_.]/).some(isRandom) ? hidden : arg
}

/** A reference to the environment is no secret. */
function kept(value: string): string | null {
  return /^(Bearer )?\$(\w+|\{\w+\})$/.test(value) || value === hidden ? value : null
}

function isSecretFlag(arg: string): boolean {
  return arg.startsWith('-') && !arg.includes('=') && secretName.test(arg)
}

const secretName =
  /(?:^|[-_.])(?:\w*(?:key|token|secret)|passw(?:or)?d|passphrase|pwd|pass|pat|auth|authorization|bearer|credentials?|cookie|dsn)$/i

/** Of well-known vendors, and UUIDs. */
const token =
  /^(?:(?:sk|pk|rk|gh[a-z]|github_pat|xox[a-z]|glpat|hf|npm|pat|key)[-_][\w.-]{12,}|AKIA\w{12,}|ya29\.[\w-]+|eyJ[\w-]+\.[\w.-]+|[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12})$/i

function isRandom(part: string): boolean {
  return /^[A-Za-z\d+=]{20,}$/.test(part) && /\d/.test(part) && /[a-z]/i.test(part)
}
