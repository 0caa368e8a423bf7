import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { InvalidArgumentError, Option } from 'commander'
import type { Role } from '../domain/context.ts'
import { CommandFailed, type Terminal } from './terminal.ts'

const byteUnits: Record<string, number> = {
  '': 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
}

const secondUnits: Record<string, number> = { '': 1, s: 1, m: 60, h: 3_600, d: 86_400 }

/** Parses bytes: `1048576`, `500MB`, `2GiB`. */
export const readByteSize = (text: string): number => readQuantity(text, byteUnits, '1048576, 500MB or 2GiB')

/** Parses seconds: `600`, `10m`, `24h`, `7d`. */
export const readDuration = (text: string): number => readQuantity(text, secondUnits, '600, 10m, 24h or 7d')

/** Parses a whole number of at least `least`. */
export const readCount =
  (least: number) =>
  (text: string): number => {
    const count = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < least) {
      throw new InvalidArgumentError(`Give a whole number of at least ${least}.`)
    }
    return count
  }

/** Parses an ISO 8601 time with an offset. */
export function readTime(text: string): Date {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text)
  const time = new Date(isTime ? text : Number.NaN)
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('Give a time such as 2026-01-31T09:00:00Z.')
  return time
}

/** Accepts one of several words. */
export const readChoice =
  (choices: readonly string[]) =>
  (text: string): string => {
    if (!choices.includes(text)) throw new InvalidArgumentError(`Give one of ${choices.join(', ')}.`)
    return text
  }

/** Accepts a literal word besides the values that `read` accepts. */
export const orWord =
  <T, W extends string>(word: W, read: (text: string) => T) =>
  (text: string): T | W =>
    text === word ? word : read(text)

/** For repeatable options. */
export const collect = (text: string, before: readonly string[] = []): string[] => [...before, text]

function readQuantity(text: string, units: Record<string, number>, examples: string): number {
  const [, digits, unit = ''] = /^(\d+)\s*([a-z]*)$/i.exec(text) ?? []
  const factor = units[unit.toLowerCase()]
  const quantity = Number(digits) * (factor ?? Number.NaN)
  if (digits === undefined || !Number.isSafeInteger(quantity)) {
    throw new InvalidArgumentError(`Give a whole number such as ${examples}.`)
  }
  return quantity
}

const roles: readonly Role[] = ['VIEWER', 'MEMBER', 'ADMIN', 'OWNER']

/** A required option. */
export const roleOption = (): Option =>
  new Option('--role <role>', `what they may do: ${roles.join(', ')}`).argParser(readRole).makeOptionMandatory()

function readRole(text: string): Role {
  const role = roles.find((each) => each === text.toUpperCase())
  if (!role) throw new InvalidArgumentError(`Give one of ${roles.join(', ')}.`)
  return role
}

/** Reads the first line of standard input. On a terminal, asks twice and hides the input. */
export async function readPassword(terminal: Terminal): Promise<string> {
  const { stdin } = terminal
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: silent, terminal: stdin.isTTY })
  try {
    if (!stdin.isTTY) {
      for await (const line of lines) return line
      throw new CommandFailed('No password came on standard input.')
    }
    const password = await ask(lines, terminal, 'Password: ')
    if ((await ask(lines, terminal, 'Once more: ')) !== password) throw new CommandFailed('The passwords differ.')
    return password
  } finally {
    lines.close()
  }
}

async function ask(lines: ReturnType<typeof createInterface>, terminal: Terminal, question: string): Promise<string> {
  terminal.say(question)
  const answer = await lines.question('')
  terminal.say('\n')
  return answer
}
