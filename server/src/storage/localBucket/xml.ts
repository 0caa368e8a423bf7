/** Markup that needs no more escaping. */
export interface Xml {
  readonly markup: string
}

/** An element with text, or with elements. Absent children are left out. */
export function element(name: string, content: string | number | readonly (Xml | undefined)[]): Xml {
  const isText = typeof content === 'string' || typeof content === 'number'
  const inner = isText ? escapeText(String(content)) : content.map((child) => child?.markup ?? '').join('')
  return { markup: `<${name}>${inner}</${name}>` }
}

/** A whole document in S3's namespace. */
export function xmlDocument(name: string, children: readonly (Xml | undefined)[]): string {
  const inner = children.map((child) => child?.markup ?? '').join('')
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${name}>`
}

/** S3's error document, which has no namespace. */
export function errorDocument(children: readonly Xml[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('Error', children).markup}`
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/**
 * Control characters become references, as S3 writes them: XML 1.0 has no way to say them, but what a key is called
 * must survive a listing.
 */
function escapeText(text: string): string {
  if (!/[&<>"\u0000-\u001f\u007f-\u009f\ufffe\uffff]/.test(text)) return text
  return text.replace(
    /[&<>"\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g,
    (character) => escapes[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  )
}
