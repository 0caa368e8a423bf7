import { type Condition, given, nothing } from '../../paging/relationalPage.ts'
import { Invalid } from '../../refusals.ts'
import { characterCount, isPlainText } from '../../text.ts'

/** A row of a host application in its own terms, and the role of the file in that row. */
export interface Owner {
  readonly ownerType: string
  readonly ownerId: string
  readonly slot: string
}

/** The slot of an attachment without an explicit slot. */
export const usualSlot = 'default'

/** Maximum lengths in characters. The check constraints of `attachments` enforce the same values. */
export const ownerCharacters = { ownerType: 100, ownerId: 200, slot: 100 } as const

/** Throws `Invalid` if the owner is empty, too long, or not plain text. Ids of other systems are not altered. */
export function acceptOwner(owner: Owner): void {
  refuseUnstorable(owner)
  refuseUnplain(owner)
}

/** Refuses an owner that no version of Filegraph could have stored. */
export function refuseUnstorable(owner: Owner): void {
  for (const field of ownerFields) {
    const length = characterCount(owner[field])
    const most = ownerCharacters[field]
    if (length < 1 || length > most) {
      throw new Invalid(field, `Must have between 1 and ${most} characters.`, length < 1 ? 1 : most)
    }
    if (!isStorable(owner[field])) throw new Invalid(field, 'Control characters are not accepted.')
  }
}

export function refuseUnplain(owner: Owner): void {
  const field = ownerFields.find((name) => !isPlainText(owner[name]))
  if (field) throw new Invalid(field, 'Control and direction-changing characters are not accepted.')
}

const ownerFields = ['ownerType', 'ownerId', 'slot'] as const

/** The attachments of an owner. A null `slot` matches all slots. A malformed owner matches none. */
export function attachmentsOf({ ownerType, ownerId, slot }: OwnerOrSlot): Condition {
  const isPossible = [ownerType, ownerId, slot ?? ownerId].every(isOwnerText)
  return isPossible ? given({ ownerType, ownerId, slot }) : nothing
}

interface OwnerOrSlot extends Omit<Owner, 'slot'> {
  readonly slot: string | null
}

const isOwnerText = (text: string): boolean =>
  text !== '' && characterCount(text) <= ownerCharacters.ownerId && isStorable(text)

const isStorable = (text: string) => !/\p{Cc}|\p{Cs}/u.test(text)
