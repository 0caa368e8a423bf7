import { hash } from 'node:crypto'

const newline = 0x0a
const lanes = 8
const blockBytes = 65_536

/**
 * A digest of the rows of a table that does not depend on their order: the sum of the SHA-256 of each row. So a table can be
 * read in the order in which it is stored, and compared after it was loaded into another database.
 */
export class RowDigest {
  rows = 0
  readonly #sums = new Uint32Array(lanes)

  add(row: Uint8Array): void {
    const digest = hash('sha256', row, 'buffer')
    for (let lane = 0; lane < lanes; lane += 1) {
      this.#sums[lane] = (this.#sums[lane] ?? 0) + digest.readUInt32BE(lane * 4)
    }
    this.rows += 1
  }

  get hex(): string {
    return [...this.#sums].map((sum) => sum.toString(16).padStart(8, '0')).join('')
  }
}

/**
 * Passes the output of COPY on in blocks, and adds each row to the digest. In the text format of COPY a line break always ends
 * a row: https://www.postgresql.org/docs/18/sql-copy.html
 */
export async function* digestRows(copy: AsyncIterable<Buffer>, digest: RowDigest): AsyncGenerator<Buffer> {
  let begun: Buffer[] = []
  let block: Buffer[] = []
  let length = 0
  for await (const chunk of copy) {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const part = chunk.subarray(start, end)
      digest.add(begun.length === 0 ? part : Buffer.concat([...begun, part]))
      begun = []
      start = end + 1
    }
    if (start < chunk.length) begun.push(chunk.subarray(start))
    block.push(chunk)
    length += chunk.length
    if (length < blockBytes) continue
    yield Buffer.concat(block)
    block = []
    length = 0
  }
  if (begun.length > 0) throw new Error('The last row of the copy is not complete')
  if (block.length > 0) yield Buffer.concat(block)
}

/** Reads all rows for their digest alone. */
export async function digestOf(copy: AsyncIterable<Buffer>): Promise<RowDigest> {
  const digest = new RowDigest()
  const blocks = digestRows(copy, digest)
  while (!(await blocks.next()).done);
  return digest
}
