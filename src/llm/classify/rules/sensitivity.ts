import type { Classes } from '#capture'

export type Sensitivity = Classes['sensitivity']

const order: readonly Sensitivity[] = ['public', 'internal', 'sensitive', 'critical']

export function moreSensitive(one: Sensitivity, other: Sensitivity): Sensitivity {
  return order.indexOf(one) >= order.indexOf(other) ? one : other
}

/** With what a text must have for it: to look for that first is much cheaper than these, which begin with any word. */
const credentialInUrl =
  /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@]{1,64}:(?!(?:password|pass|secret|user|xxx+|\*+|\.+|…|\$|<|\{)[^@\s]*@)[^\s@/]{4,128}@[\w.-]/i
const email =
  /\b(?!(?:git|noreply|no-reply|info|support|user|test|foo|bar)@)[\w.+-]{1,64}@(?!example\.|test\.|localhost|users\.noreply)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.[a-z]{2,24}\b/i
const needs = new Map([
  [credentialInUrl, '://'],
  [email, '@'],
])

/** What opens something: whoever has the text can use it. */
const secrets = [
  /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/,
  /\bsk-(?:ant-|proj-|sluice-|or-v1-)?[A-Za-z0-9_-]{24,}/,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
  /\bAIza[0-9A-Za-z_-]{35}\b/,
  /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{40,}|glpat-[\w-]{20,})/,
  /\bxox[abprs]-[A-Za-z0-9-]{20,}/,
  /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/,
  credentialInUrl,
  /\b(?:pass(?:word|wd)?|secret|api[_-]?key|access[_-]?token)["']?\s*[:=]\s*["'](?!(?:\*|x{3}|\.{3}|your|example|change|placeholder|password|secret|<|\$|\{))[^\s"']{8,}["']/i,
]

const personal = [
  email,
  /(?<![\w.])\+\d{1,3}[ .-]?\(?\d{2,4}\)?(?:[ .-]?\d{2,4}){2,4}(?!\w)/,
  /(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)/,
  /\b(?:strictly |company |highly )?confidential\b|\bunder (?:an? )?nda\b|\bdo not (?:share|distribute|forward)\b/i,
  /\b(?:patient|diagnos(?:is|ed)|medical record|date of birth|passport (?:no|number)|social security|salary of|bank account)\b/i,
]

const inHouse =
  /```|(?<![:/\w.-])[\w-]+(?:\/[\w.-]+)+\.[a-z]{1,4}\b|(?:^|[\s"'(])(?:\/|~\/|\.{1,2}\/|[A-Z]:\\)[\w.-]+[/\\][\w./\\-]+|\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}\b|\b[\w-]+\.(?:internal|local|corp|lan|intranet)\b|\binternal\b|\bour (?:team|company|product|customers?|code|service|database|server)\b/i

/** A short question without anything of one's own may be public; all else is at least `internal`. */
const longestPublic = 2_000

export function sensitivityOf(text: string): Sensitivity {
  const holds = (pattern: RegExp) => text.includes(needs.get(pattern) ?? '') && pattern.test(text)
  if (secrets.some(holds) || hasCard(text)) return 'critical'
  if (personal.some(holds) || hasIban(text)) return 'sensitive'
  return text.length > longestPublic || inHouse.test(text) ? 'internal' : 'public'
}

function hasCard(text: string): boolean {
  for (const [run] of text.matchAll(/(?<![\d.-])(?:[3-6]\d{3})(?:[ -]?\d{4}){2}[ -]?\d{3,4}(?![\d.-])/g)) {
    if (luhn(run.replace(/\D/g, ''))) return true
  }
  return false
}

function luhn(digits: string): boolean {
  let sum = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at])
    const doubled = at % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

function hasIban(text: string): boolean {
  for (const [run] of text.matchAll(/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g)) {
    if (isIban(run.replaceAll(' ', ''))) return true
  }
  return false
}

/** ISO 13616: the rest of the number, letters as 10 to 35, divided by 97, is 1. */
function isIban(iban: string): boolean {
  if (iban.length < 15 || iban.length > 34) return false
  let rest = 0
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    rest = Number(`${rest}${Number.parseInt(character, 36)}`) % 97
  }
  return rest === 1
}

/** For what is shown in lists: secrets and personal data are blotted out. */
export function withoutSecrets(text: string): string {
  const blot = (found: string, pattern: RegExp) =>
    found.replace(new RegExp(pattern.source, `${pattern.flags}g`), '[…]')
  return [...secrets, ...personal.slice(0, 3)].reduce(blot, text)
}
