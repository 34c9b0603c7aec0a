import { FinalJobError } from '#broker'
import { errorText } from '#lib/errors'

const mayHelp = new Set([408, 409, 425, 429])

/** The error that a refused call is: final, unless the same call may do better later. */
export async function failedCall(what: string, answer: Response): Promise<Error> {
  const said = errorText((await answer.text().catch(() => '')).slice(0, 500), 500)
  const message = `${what}: the gateway answered ${answer.status}${said === '' ? '' : `: ${said}`}`
  return answer.status >= 500 || mayHelp.has(answer.status) ? new Error(message) : new FinalJobError(message)
}
