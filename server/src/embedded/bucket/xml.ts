import { maxXmlDepth } from './limits.ts'
import { S3Error } from './s3Error.ts'

/** Escaped markup. */
export interface Xml {
  readonly markup: string
}

/** An element with text or child elements. Undefined children are omitted. */
export function element(name: string, content: string | number | readonly (Xml | undefined)[]): Xml {
  const isText = typeof content === 'string' || typeof content === 'number'
  const inner = isText ? escapeText(String(content)) : content.map((child) => child?.markup ?? '').join('')
  return { markup: `<${name}>${inner}</${name}>` }
}

/** A document in S3's namespace. */
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
 * Control characters become character references, as in S3. XML 1.0 forbids them, but a listing must return every key.
 */
function escapeText(text: string): string {
  if (!/[&<>"\u0000-\u001f\u007f-\u009f\ufffe\uffff]/.test(text)) return text
  return text.replace(
    /[&<>"\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g,
    (character) => escapes[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  )
}

export interface XmlElement {
  readonly name: string
  readonly children: readonly XmlElement[]
  /** The text directly inside the element, with entities resolved. */
  readonly text: string
}

interface OpenElement {
  readonly name: string
  readonly children: XmlElement[]
  text: string
}

const token =
  /<\?[^]*?\?>|<!--[^]*?-->|<!\[CDATA\[([^]*?)\]\]>|<\/([\w:.-]+)\s*>|<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y

/**
 * Parses the small documents that S3 clients send: elements and text. Skips attributes. Refuses document type
 * declarations, and all entities except the five of XML and character references. Throws `MalformedXML`, also for an
 * unexpected root element.
 */
export function parseXml(source: string, rootName: string): XmlElement {
  const top: OpenElement = { name: '', children: [], text: '' }
  const open: OpenElement[] = [top]
  token.lastIndex = 0
  while (token.lastIndex < source.length) {
    const match = token.exec(source)
    if (!match) throw new S3Error('MalformedXML')
    readToken(match, open)
  }
  const [root, ...others] = top.children
  const isWhole = open.length === 1 && others.length === 0 && top.text.trim() === ''
  if (!root || !isWhole || root.name !== rootName) throw new S3Error('MalformedXML')
  return root
}

function readToken(match: RegExpExecArray, open: OpenElement[]): void {
  const [, data, closing, opening, , isEmpty, text] = match
  const current = open.at(-1)!
  if (data !== undefined) current.text += data
  if (text !== undefined) current.text += resolveEntities(text)
  if (opening !== undefined) {
    const child: OpenElement = { name: localName(opening), children: [], text: '' }
    current.children.push(child)
    if (!isEmpty) open.push(child)
    if (open.length > maxXmlDepth) throw new S3Error('MalformedXML')
  }
  if (closing !== undefined) {
    if (open.length === 1 || current.name !== localName(closing)) throw new S3Error('MalformedXML')
    open.pop()
  }
}

function localName(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1)
}

const namedEntities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function resolveEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{1,8}));|&/gi,
    (_, hex?: string, decimal?: string, name?: string) => {
      const character = name === undefined ? characterOf(hex, decimal) : namedEntities[name]
      if (character === undefined) throw new S3Error('MalformedXML')
      return character
    },
  )
}

function characterOf(hex: string | undefined, decimal: string | undefined): string | undefined {
  const code = hex === undefined ? Number.parseInt(decimal ?? '', 10) : Number.parseInt(hex, 16)
  return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : undefined
}

export function childrenNamed(parent: XmlElement, name: string): XmlElement[] {
  return parent.children.filter((child) => child.name === name)
}

/**
 * The text of the only child with that name. Undefined if there is none. Throws `MalformedXML` if there are several.
 */
export function childText(parent: XmlElement, name: string): string | undefined {
  const found = childrenNamed(parent, name)
  if (found.length > 1) throw new S3Error('MalformedXML')
  return found[0]?.text
}
