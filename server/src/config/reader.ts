import { readFileSync } from 'node:fs'
import { configVariables, type ConfigVariableName, secretVariables } from './variables.ts'

/** The environment is not valid. The message lists every problem on its own line. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/** Reads variables and collects their problems, so that all of them can be reported at once. */
export class ConfigReader {
  readonly problems: string[] = []
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #fromFiles = new Map<ConfigVariableName, string>()

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment
    for (const name of secretVariables) this.#readSecretFile(name)
  }

  /** Container platforms mount secrets as files. Editors and `echo` end a file with a newline. */
  #readSecretFile(name: ConfigVariableName): void {
    const path = this.#environment[`${name}_FILE`]?.trim()
    if (!path) return
    if (this.#environment[name]?.trim()) return void this.problems.push(`${name} and ${name}_FILE cannot both be set`)
    try {
      const secret = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
      if (secret === '') this.problems.push(`${name}_FILE names ${path}, which is empty`)
      this.#fromFiles.set(name, secret)
    } catch (error) {
      this.problems.push(`${name}_FILE names ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code})`)
    }
  }

  /** An empty variable counts as not set. */
  text(name: ConfigVariableName): string | undefined {
    return this.#fromFiles.get(name) || this.#environment[name]?.trim() || undefined
  }

  /** Reads a whole number. A minimum can have a reason, which the message includes. */
  whole(
    name: ConfigVariableName,
    fallback: number,
    bound: number | { readonly value: number; readonly reason: string },
    most: number,
  ): number {
    const { value: least, reason } = typeof bound === 'number' ? { value: bound, reason: null } : bound
    const text = this.text(name)
    if (text === undefined) return fallback
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    const why = reason === null ? '' : `, because ${reason}`
    return this.#wrong(name, `has to be a whole number from ${least} to ${most}${why}`, fallback)
  }

  yesNo(name: ConfigVariableName, fallback: boolean): boolean {
    const text = this.text(name)?.toLowerCase()
    if (text === undefined) return fallback
    if (['true', '1', 'yes', 'on'].includes(text)) return true
    if (['false', '0', 'no', 'off'].includes(text)) return false
    return this.#wrong(name, 'has to be true or false', fallback)
  }

  oneOf<T extends string>(name: ConfigVariableName, choices: readonly T[], fallback: T): T {
    const text = this.text(name)
    if (text === undefined) return fallback
    return (
      choices.find((choice) => choice === text) ?? this.#wrong(name, `has to be one of ${choices.join(', ')}`, fallback)
    )
  }

  url(name: ConfigVariableName, protocols: readonly string[]): string | undefined {
    const text = this.text(name)
    if (text === undefined || (URL.canParse(text) && protocols.includes(new URL(text).protocol))) return text
    return this.#wrong(
      name,
      `has to be an address that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`,
      undefined,
    )
  }

  /** Reads an http(s) URL without a trailing slash, such as an endpoint. */
  webAddress(name: ConfigVariableName): string | undefined {
    return this.url(name, ['http:', 'https:'])?.replace(/\/+$/, '')
  }

  list(name: ConfigVariableName): readonly string[] {
    return (this.text(name) ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  }

  problem(name: ConfigVariableName, what: string): void {
    this.#wrong(name, what, undefined)
  }

  /** Unknown variables that have one of our prefixes. They are probably misspelled. */
  unknownNames(): string[] {
    const files = secretVariables.map((name) => `${name}_FILE`)
    const known = new Set<string>([...configVariables.map((variable) => variable.name), ...files])
    return Object.keys(this.#environment).filter((name) => /^(FILEGRAPH|S3|JWT)_/.test(name) && !known.has(name))
  }

  refuseIfAnyProblem(): void {
    if (this.problems.length > 0) throw new ConfigurationError(this.problems.join('\n'))
  }

  #wrong<T>(name: ConfigVariableName, what: string, instead: T): T {
    const example = configVariables.find((variable) => variable.name === name)?.example ?? ''
    this.problems.push(`${name} ${what}, for example ${name}=${/[\s,]/.test(example) ? `"${example}"` : example}`)
    return instead
  }
}
