import { type Answer, apply, type Command, type State } from './model.ts'

/** A command that was sent, and what came of it; UNKNOWN when no usable answer came, so that it may have happened or not. */
export interface Sent {
  readonly command: Command
  readonly answer: Answer
}

export const unknown = 'UNKNOWN'

/** Several refusals of an intent that is over mean the same to a client. */
const overForIntents = new Set(['CONFLICT', 'CONTENT_MISMATCH'])

const isAnswer = (given: Answer, expected: Answer, { verb }: Command): boolean =>
  given === expected ||
  given === unknown ||
  expected === 'ANY' ||
  (verb === 'commit' && overForIntents.has(given) && overForIntents.has(expected))

/**
 * Looks for an order in which the commands, one after the other, give the answers that came and the state that is seen
 * afterwards. Answers with that state, or null when there is none: then something happened that no order explains.
 */
export function explain(before: State, sent: readonly Sent[], isSeen: (after: State) => boolean): State | null {
  if (sent.length === 0) return isSeen(before) ? before : null
  for (const [at, { command, answer }] of sent.entries()) {
    const rest = sent.toSpliced(at, 1)
    const [expected, after] = apply(before, command)
    const explained = isAnswer(answer, expected, command) ? explain(after, rest, isSeen) : null
    if (explained) return explained
    const skipped = answer === unknown ? explain(before, rest, isSeen) : null
    if (skipped) return skipped
  }
  return null
}
