import { characterCount } from '../characterCount.ts'
import { Invalid } from '../refusals.ts'

/** A row of a host application, in its own words, and what the file is to it. */
export interface Owner {
  readonly ownerType: string
  readonly ownerId: string
  readonly slot: string
}

/** The slot of an attachment that names none. */
export const usualSlot = 'default'

/** Characters; the check constraints of `attachments` hold the same. */
const longest = { ownerType: 100, ownerId: 200, slot: 100 } as const

/** Refuses with `Invalid`: empty, too long, control characters, lone surrogates. */
export function acceptOwner(owner: Owner): Owner {
  for (const field of ['ownerType', 'ownerId', 'slot'] as const) {
    const text = owner[field]
    const most = longest[field]
    const length = characterCount(text)
    if (length < 1 || length > most) {
      throw new Invalid(field, `Must have between 1 and ${most} characters.`, length < 1 ? 1 : most)
    }
    if (!isPlain(text)) throw new Invalid(field, 'Control characters are not accepted.')
  }
  return owner
}

/** Whether it can be the text of an owner at all; what cannot is attached to nothing. */
export const isOwnerText = (text: string): boolean =>
  text !== '' && characterCount(text) <= longest.ownerId && isPlain(text)

const isPlain = (text: string) => !/\p{Cc}|\p{Cs}/u.test(text)
