/**
 * MCP: many servers behind one door, on the record.
 *
 * edge      where clients come in: HTTP of both eras, WebSocket, the old SSE
 * portal    what they find: servers, tools, prompts and resources that they may see
 * upstream  a server, and the one connection to it that all share
 * hop       one request and its answer, between a client and the portal or between the portal and a server
 * era       legacy (sessions, up to 2025-11-25) or modern (each request stands alone, 2026-07-28)
 */
export { type Mcp, type McpOptions, openMcp } from './open-mcp.ts'
export { interpretMcp } from './record/interpret.ts'
export type { ObservedHop } from './record/open-recorder.ts'
