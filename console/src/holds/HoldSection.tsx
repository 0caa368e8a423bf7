import { Lock, LockOpen } from 'lucide-react'
import { Suspense, useState } from 'react'
import type { HeldFragment } from '../apollo/operations.ts'
import { useMay } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { Time } from '../ui/Time.tsx'
import { UserText } from '../ui/UserText.tsx'
import { lazyPart } from '../ui/lazyPart.ts'
import './holds.css'

/** The reason of a hold, and the person who placed it. */
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

const HoldDialog = lazyPart(() => import('./HoldDialog.tsx').then((part) => part.HoldDialog))
const ReleaseDialog = lazyPart(() => import('./HoldDialog.tsx').then((part) => part.ReleaseDialog))

interface HoldSectionProps {
  readonly file: { readonly id: string; readonly name: string; readonly hold: HeldFragment['hold'] }
}

/** The hold of a file. People who cannot change it see this section only if there is a hold. */
export function HoldSection({ file }: HoldSectionProps) {
  const mayHold = useMay('ADMIN')
  const [asked, setAsked] = useState<'hold' | 'release' | null>(null)
  if (!file.hold && !mayHold) return null
  const close = () => setAsked(null)
  return (
    <section className="holds" aria-label="Legal hold">
      <h2>Legal hold</h2>
      {file.hold ? <HoldFacts hold={file.hold} /> : <p className="soft">Not held.</p>}
      {mayHold && (
        <Button onPress={() => setAsked(file.hold ? 'release' : 'hold')}>
          {file.hold ? <LockOpen size={16} aria-hidden /> : <Lock size={16} aria-hidden />}
          {file.hold ? 'Release …' : 'Hold …'}
        </Button>
      )}
      <Suspense>
        {asked === 'hold' && <HoldDialog file={file} onClose={close} />}
        {asked === 'release' && <ReleaseDialog file={file} onClose={close} />}
      </Suspense>
    </section>
  )
}
