import { useQuery } from '@apollo/client/react'
import { CloudOff, DoorClosed } from 'lucide-react'
import { useEffect, useMemo } from 'react'
import { Link, useLocation } from 'react-router'
import { ShellPartsDocument, TenantsDocument } from '../apollo/operations.ts'
import { clientWithoutTenant } from '../apollo/tenantClients.ts'
import { codeOf, wordError } from '../apollo/wordRefusal.ts'
import { paths } from '../paths.ts'
import { Button } from '../ui/Button.tsx'
import { Notice } from '../ui/Notice.tsx'
import { UserText } from '../ui/UserText.tsx'
import { roleNames } from './roleNames.ts'
import { useTenant } from './useShell.ts'

/** Shown instead of the rows of a page. A workspace of others and one that does not exist look the same on purpose. */
export function PageError({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const code = codeOf(error)
  if (code === 'UNAUTHENTICATED') return null
  if (code === 'FORBIDDEN') return <Forbidden />
  return (
    <Notice
      icon={CloudOff}
      title={navigator.onLine ? 'This could not be loaded' : 'You are offline'}
      isAlert
      actions={<Button onPress={onRetry}>Try again</Button>}
    >
      <p>{wordError(error)}</p>
    </Notice>
  )
}

/** A refused page has no data, not even the viewer. A query for the viewer alone tells a missing role from a missing membership. */
function Forbidden() {
  const { data, loading } = useQuery(ShellPartsDocument)
  if (loading) return null
  return data?.viewer ? <NotAllowed role={roleNames[data.viewer.role]} /> : <NoAccess />
}

/** Links to the workspaces that the person is a member of. */
export function NoAccess() {
  const client = useMemo(clientWithoutTenant, [])
  useEffect(() => () => client.stop(), [client])
  const { data } = useQuery(TenantsDocument, { client, fetchPolicy: 'network-only' })
  const tenants = data?.viewer?.tenants ?? []
  return (
    <Notice
      icon={DoorClosed}
      title="No such workspace, or no access"
      isAlert
      actions={
        <>
          {tenants.map(({ slug, name }) => (
            <Link key={slug} to={paths.files(slug)} className="button">
              Go to <UserText>{name}</UserText>
            </Link>
          ))}
          <SignInAgain />
        </>
      }
    >
      <p>The address may be mistyped, or you are not a member. An owner of the workspace can add you.</p>
    </Notice>
  )
}

function NotAllowed({ role }: { role: string }) {
  const tenant = useTenant()
  return (
    <Notice
      icon={DoorClosed}
      title="Not for your role"
      isAlert
      actions={
        <>
          <Link to={paths.files(tenant)} className="button">
            Go to the files
          </Link>
          <SignInAgain />
        </>
      }
    >
      <p>
        Administrators and owners of this workspace can see this page. Your role here is {role}. An owner can give you
        another one.
      </p>
    </Notice>
  )
}

/** Returns to this page after signing in. */
function SignInAgain() {
  const { pathname, search } = useLocation()
  return (
    <Link to={paths.signIn(pathname + search)} className="button button-quiet">
      Sign in as somebody else
    </Link>
  )
}
