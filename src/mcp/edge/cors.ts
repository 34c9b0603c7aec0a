/** What a web page of an allowed origin needs; all others were refused before. */
export function withCors(response: Response, origin: string | null): Response {
  if (origin === null) return response
  response.headers.set('access-control-allow-origin', origin)
  response.headers.set('access-control-expose-headers', 'mcp-session-id, www-authenticate')
  response.headers.append('vary', 'origin')
  return response
}

export function preflight(request: Request): Response {
  const asked = request.headers.get('access-control-request-headers') ?? ''
  return new Response(null, {
    status: 204,
    headers: {
      allow: 'GET, POST, DELETE, OPTIONS',
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': asked,
      'access-control-max-age': '600',
    },
  })
}
