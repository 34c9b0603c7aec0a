import type { Block, Emit } from './events.ts'
import type { Seal } from './model.ts'

type Waiting = { key: string; block: Block; text: string; seal: Seal | null; closed: boolean }

export type Sequencer = {
  has(key: string): boolean
  /** The key of the block that is open, or null. */
  current(): string | null
  open(key: string, block: Block): void
  delta(key: string, text: string): void
  seal(key: string, seal: Seal): void
  close(key: string): void
  /** Closes everything, in the order of opening. */
  closeAll(): void
  /** The text of an open block so far. */
  textOf(key: string): string
}

/**
 * Brings blocks that dialects number and may interleave into one row: one is open at a time, the others wait
 * until it closes. What a client sees is then valid in dialects that know no interleaving.
 */
export function sequencer(emit: Emit): Sequencer {
  const row: Waiting[] = []
  const find = (key: string) => row.find((one) => one.key === key && !one.closed)

  function advance(): void {
    while (row[0]?.closed) {
      emit({ type: 'close' })
      row.shift()
      const next = row[0]
      if (next === undefined) return
      emit({ type: 'open', block: next.block })
      if (next.text !== '') emit({ type: 'delta', text: next.text })
      if (next.seal !== null) emit({ type: 'seal', seal: next.seal })
    }
  }

  return {
    has: (key) => find(key) !== undefined,
    current: () => row[0]?.key ?? null,
    textOf: (key) => find(key)?.text ?? '',
    open(key, block) {
      row.push({ key, block, text: '', seal: null, closed: false })
      if (row.length === 1) emit({ type: 'open', block })
    },
    delta(key, text) {
      const one = find(key)
      if (one === undefined || text === '') return
      one.text += text
      if (one === row[0]) emit({ type: 'delta', text })
    },
    seal(key, seal) {
      const one = find(key)
      if (one === undefined) return
      one.seal = seal
      if (one === row[0]) emit({ type: 'seal', seal })
    },
    close(key) {
      const one = find(key)
      if (one === undefined) return
      one.closed = true
      advance()
    },
    closeAll() {
      for (const one of row) one.closed = true
      advance()
    },
  }
}
