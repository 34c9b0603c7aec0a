/**
 * MCP: many servers behind one door, on the record.
 *
 * hop       one request and its answer, between a client and the portal or between the portal and a server
 * era       legacy (sessions, up to 2025-11-25) or modern (each request stands alone, 2026-07-28)
 */
export { interpretMcp } from './record/interpret.ts'
