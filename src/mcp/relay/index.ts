/**
 * The relay: stdio on a client's side, the gateway on the other. A door of its own, as it starts with every client
 * and must not load the portal.
 *
 * flight   a request of the client, until it is answered
 * session  a legacy client's, begun anew for it where the gateway knows it no more
 */
export { openRelay, type Relay } from './open-relay.ts'
export { openOutput } from './output.ts'
export { readRelaySettings } from './settings.ts'
