import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Answer, broken, ok, unproven, type VerifyContext } from './proof.ts'

/** A signature, an API key and a bearer token, each as it would be used. */
const shapes = [/X-Amz-Signature=[0-9a-f]{64}/i, /fgk_[\w-]{30,}/, /Bearer [\w-]{20,}/i]

/** Reads the log files, line by line, for what would open something. Tells how many lines, and never what is in them. */
export async function proveLog({ logFiles, secrets }: VerifyContext): Promise<Answer> {
  if (logFiles.length === 0) return unproven('the log goes to standard output: whoever collects it has to look there')
  let [lines, leaks] = [0, 0]
  for (const path of logFiles) {
    for await (const line of createInterface({ input: createReadStream(path, 'utf8') })) {
      lines += 1
      if (shapes.some((shape) => shape.test(line)) || secrets.some((secret) => line.includes(secret))) leaks += 1
    }
  }
  const where = logFiles.join(' and ')
  return leaks === 0
    ? ok(`${lines} lines of ${where} hold none`)
    : broken(`${leaks} of ${lines} lines of ${where} hold one`)
}
