import './holds.css'
import type { HeldFragment } from '../apollo/operations.ts'
import { Time } from '../ui/Time.tsx'
import { UserText } from '../ui/UserText.tsx'

/** Why a file is held, in the words of whoever did, and who that was. */
export function HoldFacts({ hold }: { hold: NonNullable<HeldFragment['hold']> }) {
  return (
    <figure className="hold">
      <blockquote>
        <UserText wrap>{hold.reason}</UserText>
      </blockquote>
      <figcaption className="soft">
        <Time at={hold.heldAt} />
        {hold.heldBy && (
          <>
            {' '}
            by <UserText wrap>{hold.heldBy.name}</UserText>
          </>
        )}
      </figcaption>
    </figure>
  )
}
