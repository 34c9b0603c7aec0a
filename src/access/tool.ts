import type { z } from 'zod'
import type { Principal, Scope } from './principal.ts'

/**
 * A tool that Sluice itself offers to agents. Its domain registers it (`tools.ts`); the portal shows it to those whose
 * scopes allow it, under exactly this name.
 */
export type Tool<Input = unknown> = {
  name: string
  title: string
  description: string
  input: z.ZodType<Input>
  /** What a caller needs. */
  scope: Scope
  /** It changes nothing: what a read-only portal offers. */
  readOnly: boolean
  /** Its arguments hold a secret: the call is recorded without its content. */
  sensitive?: true
  /**
   * Its result goes to the caller as structured content and as text.
   * @throws SluiceError for what the caller can mend: a result with `isError` and its message
   */
  run(input: Input, context: ToolContext): Promise<unknown>
}

export type ToolContext = {
  principal: Principal
  signal: AbortSignal
  /** Id of the exchange that records the call. */
  exchange: string
  /** Of long work; `total` where it is known. */
  progress(done: number, total?: number, message?: string): void
}

/** Keeps the types of one tool together; a list holds tools of any input. */
export function defineTool<Input>(tool: Tool<Input>): Tool {
  return tool as unknown as Tool
}
