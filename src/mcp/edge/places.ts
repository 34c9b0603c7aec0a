import type { Principal } from '#access'
import { codes, rpcError } from '../wire/codes.ts'
import { Refusal } from './refusal.ts'

/** Who holds streams open: a key, a secret address, or all who show no credential at one portal. */
export type Holder = { principal: Pick<Principal, 'tenant' | 'keyId'>; door?: string | undefined }

/** Streams and sockets that last, counted for each holder: one that opens ever more must not take all there are. */
export type Places = {
  /**
   * `instead`: it takes over from one of the same holder, which gives its own back.
   * @returns what gives it back, once
   * @throws Refusal 429 with the limit
   */
  take(holder: Holder, instead?: boolean): () => void
}

export function openPlaces(most: number): Places {
  const taken = new Map<string, number>()
  return {
    take({ principal: { tenant, keyId }, door }, instead = false) {
      const holder = `${tenant}/${door ?? keyId ?? ''}`
      const count = (taken.get(holder) ?? 0) + 1
      if (count - (instead ? 1 : 0) > most) throw tooMany(most)
      taken.set(holder, count)
      let held = true
      return () => {
        if (!held) return
        held = false
        const left = (taken.get(holder) ?? 1) - 1
        if (left === 0) taken.delete(holder)
        else taken.set(holder, left)
      }
    },
  }
}

function tooMany(limit: number): Refusal {
  const message = `This key has ${limit} streams and sockets open, the limit on this gateway (MCP_STREAMS_PER_KEY)`
  return new Refusal(429, rpcError(codes.invalidRequest, message, { reason: 'too-many-streams', limit }))
}
