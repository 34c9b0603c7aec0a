import type { OpenApi } from './openapi.ts'
import type { Operation } from './proxied-paths.ts'

/** The API as one page without script and without anything from elsewhere, so that it works offline and leaks nothing. */
export function docsPage(document: OpenApi): string {
  const groups = Map.groupBy(operationsOf(document), ({ operation }) => operation.tags[0] ?? '')
  const body = [...groups].map(([tag, list]) => `<h2>${text(tag)}</h2>${list.map(section).join('')}`).join('')
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sluice API</title><style>${style}</style><main><h1>Sluice API</h1>
<p>Version ${text(String(document.info.version))}. The same for programs: <a href="/openapi.json">/openapi.json</a>.
Our own routes take <code>Authorization: Bearer sk-sluice-…</code> and answer errors as problem JSON.</p>${body}</main></html>`
}

export const docsHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

type Listed = { path: string; method: string; operation: Operation }

function operationsOf(document: OpenApi): Listed[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
}

function section({ path, method, operation }: Listed): string {
  const { summary, description, parameters, requestBody, responses } = operation
  return `<details id="${text(operation.operationId)}"><summary><b>${text(method.toUpperCase())}</b> <code>${text(path)}</code>
${text(summary)}</summary>${description ? `<p>${text(description)}</p>` : ''}${parameterTable(parameters)}
${requestBody ? `<h3>Body</h3>${json(requestBody)}` : ''}<h3>Answers</h3>${json(responses)}</details>`
}

function parameterTable(parameters: Operation['parameters']): string {
  if (parameters.length === 0) return ''
  const rows = parameters.map(
    (one) =>
      `<tr><td><code>${text(String(one.name))}</code><td>${text(String(one.in))}${one.required ? ', required' : ''}<td><code>${text(JSON.stringify(one.schema))}</code>`,
  )
  return `<table>${rows.join('')}</table>`
}

function json(value: unknown): string {
  return `<pre>${text(JSON.stringify(value, null, 2))}</pre>`
}

function text(raw: string): string {
  return Bun.escapeHTML(raw)
}

const style = `body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#1c2430;background:#fff}main{max-width:60rem;margin:auto;padding:1rem}
h2{margin-top:2rem}h3{font-size:1rem}details{border:1px solid #d5dbe3;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}
summary{cursor:pointer}summary b{display:inline-block;min-width:4.5rem}pre,td code{white-space:pre-wrap;overflow-wrap:anywhere}
pre{background:#f4f6f9;padding:.6rem;font-size:.85rem}table{border-collapse:collapse;width:100%}td{border-top:1px solid #d5dbe3;padding:.2rem .5rem;vertical-align:top}
@media(prefers-color-scheme:dark){body{background:#12161c;color:#e3e8ef}pre{background:#1b212a}details,td{border-color:#333c48}a{color:#8ab4ff}}`
