/** A one-page PDF 1.4 with a heading and lines of Latin text. Source of the structure: ISO 32000-1, annex H.3. */
export function makePdf(heading: string, lines: readonly string[]): Buffer {
  const text = [
    `BT /F1 24 Tf 56 770 Td (${escaped(heading)}) Tj ET`,
    ...lines.map((line, at) => `BT /F1 12 Tf 56 ${730 - at * 20} Td (${escaped(line)}) Tj ET`),
  ].join('\n')
  return assemble([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${Buffer.byteLength(text, 'latin1')} >>\nstream\n${text}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
  ])
}

/** Readers find objects through the byte offsets at the end of the document. */
function assemble(objects: readonly string[]): Buffer {
  let body = '%PDF-1.4\n'
  const offsets = objects.map((object, at) => {
    const offset = Buffer.byteLength(body, 'latin1')
    body += `${at + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const size = objects.length + 1
  const start = Buffer.byteLength(body, 'latin1')
  const end = `xref\n0 ${size}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`
  return Buffer.from(body + end, 'latin1')
}

const escaped = (text: string) => text.replace(/[\\()]/g, '\\$&')
