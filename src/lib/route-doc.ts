import type { z } from 'zod'

/**
 * What is said about a route of our own API beside its handler: who may use it and what goes in and out. The
 * OpenAPI document is made from it, and the test of who may do what; the handler does the checking itself,
 * authorisation before anything else.
 */
export type RouteDoc = {
  summary: string
  /** The scope that its handler asks for; `open`: none. */
  scope: 'open' | 'call' | 'read' | 'replay' | 'operator' | 'keys' | 'admin'
  /** More than fits the summary. */
  description?: string
  tag?: string
  query?: z.ZodType
  body?: z.ZodType
  /** What a success carries: JSON of that shape, or the name of another media type. */
  answer?: z.ZodType | string
  /** @default 200 */
  status?: number
  /** What an error carries. @default problem */
  errors?: 'problem' | 'json-rpc'
}

/** The last argument of a route, as in `.get(path, handler, routeDoc({…}))`. */
export function routeDoc(doc: RouteDoc): { detail: { summary: string; doc: RouteDoc } } {
  return { detail: { summary: doc.summary, doc } }
}
