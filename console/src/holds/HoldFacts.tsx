import './holds.css'
import type { HeldFragment } from '../apollo/operations.ts'
import { Time } from '../ui/Time.tsx'
import { UserText } from '../ui/UserText.tsx'

/** The reason of a hold, and who placed it. */
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
