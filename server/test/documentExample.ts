import { readFileSync } from 'node:fs'
import { compileFunction } from 'node:vm'

/** The code between `<!-- name:start -->` and `<!-- name:end -->` in a document of the repository. */
export function exampleIn(document: string, name: string): string {
  const text = readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8')
  const between = new RegExp(`<!-- ${name}:start -->\n\`\`\`\\w+\n([\\s\\S]*?)\`\`\`\n<!-- ${name}:end -->`)
  const [, code] = between.exec(text) ?? []
  if (code === undefined) throw new Error(`${document} has no example ${name}`)
  return code
}

/** Runs JavaScript of a document and answers with one of its values. `scope` holds what the code takes for granted. */
export function evaluate(code: string, value: string, scope: Readonly<Record<string, unknown>> = {}): unknown {
  const body = code.replace(/^import .*$/gm, '').replaceAll(/^export /gm, '')
  return compileFunction(`${body}; return ${value}`, Object.keys(scope))(...Object.values(scope))
}
