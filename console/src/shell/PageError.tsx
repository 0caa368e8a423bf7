import { useQuery } from '@apollo/client/react'
import { CloudOff, DoorClosed } from 'lucide-react'
import { Link } from 'react-router'
import { ShellPartsDocument } from '../apollo/operations.ts'
import { codeOf, wordError } from '../apollo/wordRefusal.ts'
import { paths } from '../paths.ts'
import { Button } from '../ui/Button.tsx'
import { Notice } from '../ui/Notice.tsx'

/** What a page shows instead of its rows. A foreign workspace and one that does not exist look the same, on purpose. */
export function PageError({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const code = codeOf(error)
  if (code === 'UNAUTHENTICATED') return null
  if (code === 'FORBIDDEN') return <Forbidden />
  return (
    <Notice icon={CloudOff} title="This could not be loaded" isAlert>
      <p>{wordError(error)}</p>
      <Button onPress={onRetry}>Try again</Button>
    </Notice>
  )
}

/** A page that is refused brings nothing along, not even who looks: that is asked alone, and tells which "no" it was. */
function Forbidden() {
  const { data, loading } = useQuery(ShellPartsDocument)
  if (loading) return null
  return data ? <NotAllowed /> : <NoAccess />
}

function NoAccess() {
  return (
    <Notice icon={DoorClosed} title="No such workspace, or no access" isAlert>
      <p>The address may be mistyped, or you are not a member. Whoever manages the workspace can add you.</p>
      <Link to={paths.start()} className="button">
        Go to your files
      </Link>
    </Notice>
  )
}

function NotAllowed() {
  return (
    <Notice icon={DoorClosed} title="Not for your role" isAlert>
      <p>Administrators and owners of this workspace can see this page.</p>
    </Notice>
  )
}
