import './attachments.css'
import type { AttachmentRowFragment } from '../apollo/operations.ts'
import { Time } from '../ui/Time.tsx'
import { UserText } from '../ui/UserText.tsx'

/** Which rows of host applications use a file, in the words of those applications. */
export function AttachmentList({ attachments }: { attachments: readonly AttachmentRowFragment[] }) {
  return (
    <ul className="attachments" aria-label="Used by">
      {attachments.map(({ id, ownerType, ownerId, slot, attachedAt, attachedBy }) => (
        <li key={id} className="attachment">
          <span className="attachment-owner">
            <UserText wrap>{ownerType}</UserText> <UserText wrap>{ownerId}</UserText>
          </span>
          <span className="soft">
            {slot !== 'default' && (
              <>
                as <UserText wrap>{slot}</UserText> ·{' '}
              </>
            )}
            <Time at={attachedAt} /> by <UserText wrap>{attachedBy.name}</UserText>
          </span>
        </li>
      ))}
    </ul>
  )
}
