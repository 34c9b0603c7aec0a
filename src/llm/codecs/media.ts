import type { Source } from './model.ts'

/** `data:` URLs are bytes, whatever field they came in. */
export function sourceOfUrl(url: string, mime: string | null = null): Source {
  const [head, type, isBase64] = /^data:([^;,]*)(?:;[^;,]*=[^;,]*)*(;base64)?,/.exec(url) ?? []
  if (head === undefined) return { kind: 'url', mime, url }
  const data = url.slice(head.length)
  return {
    kind: 'base64',
    mime: type || mime || 'application/octet-stream',
    data: isBase64 === undefined ? Buffer.from(unescaped(data)).toString('base64') : data,
  }
}

export function dataUrl({ mime, data }: { mime: string; data: string }): string {
  return `data:${mime};base64,${data}`
}

/** By the end of a URL, for targets that must be told; null where that does not say. */
export function mimeOfUrl(url: string): string | null {
  const [, end = ''] = /\.([a-z0-9]+)(?:[?#].*)?$/i.exec(url) ?? []
  return types.get(end.toLowerCase()) ?? null
}

const types = new Map(
  Object.entries({
    jpg: 'image/jpeg',
    jpeg: 'image/jpeg',
    png: 'image/png',
    gif: 'image/gif',
    webp: 'image/webp',
    pdf: 'application/pdf',
    txt: 'text/plain',
    mp4: 'video/mp4',
  }),
)

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
