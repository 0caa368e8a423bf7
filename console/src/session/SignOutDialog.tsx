import { ConfirmDialog } from '../shell/ConfirmDialog.tsx'

/** Asks before signing out would lose uploads, and reports a sign-out that failed. */
export interface SignOutQuestion {
  readonly lostUploads: number
  /** Why signing out failed, in words. Null before the first attempt. */
  readonly failure: string | null
}

interface SignOutDialogProps extends SignOutQuestion {
  readonly run: () => Promise<void>
  readonly onClose: () => void
}

export function SignOutDialog({ lostUploads, failure, run, onClose }: SignOutDialogProps) {
  if (failure !== null) {
    return (
      <ConfirmDialog title="You are still signed in" verb="Try again" run={run} onClose={onClose}>
        <p>{failure}</p>
      </ConfirmDialog>
    )
  }
  const what = lostUploads === 1 ? '1 upload' : `${lostUploads} uploads`
  return (
    <ConfirmDialog title={`Sign out and lose ${what}?`} verb="Sign out" isDangerous run={run} onClose={onClose}>
      <p>
        {lostUploads === 1 ? 'It has' : 'They have'} not arrived yet. Signing out stops {what}, and the files would have
        to be chosen again.
      </p>
    </ConfirmDialog>
  )
}
