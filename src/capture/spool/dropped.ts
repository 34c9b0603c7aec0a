import type { Recording } from '../recording.ts'
import type { Journal } from './journal.ts'

/** Stands for an exchange that the operator chose to let pass unrecorded while the disk is full. */
export function droppedRecording({ depot }: Journal): Recording {
  let open = true
  depot.ledger.open += 1
  return {
    request() {},
    response() {},
    seal() {
      if (!open) return
      open = false
      depot.ledger.open -= 1
      depot.ledger.accept('dropped')
    },
  }
}
