import { useQuery } from '@apollo/client/react'
import { Compass } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { ShellPartsDocument } from '../apollo/operations.ts'
import { codeOf } from '../apollo/wordRefusal.ts'
import { paths } from '../paths.ts'
import { Notice } from '../ui/Notice.tsx'
import { NoAccess } from './PageError.tsx'
import { useMay, useTenant } from './useShell.ts'

/** An address outside of any workspace. */
export function NotFoundPage() {
  return (
    <main>
      <title>Not found · Filegraph</title>
      <Nothing
        links={
          <Link to={paths.start()} className="button">
            Go to your files
          </Link>
        }
      />
    </main>
  )
}

/** An unknown address within a workspace. The shell stays. */
export function NoSuchPage() {
  const tenant = useTenant()
  const isAdmin = useMay('ADMIN')
  const { error } = useQuery(ShellPartsDocument)
  if (codeOf(error) === 'FORBIDDEN') return <NoAccess />
  return (
    <>
      <title>Not found · Filegraph</title>
      <Nothing
        links={
          <>
            <Link to={paths.files(tenant)} className="button">
              Go to the files
            </Link>
            <Link to={paths.trash(tenant)} className="button">
              Look in the trash
            </Link>
            {isAdmin && (
              <Link to={paths.audit(tenant)} className="button">
                Look in the audit log
              </Link>
            )}
          </>
        }
      />
    </>
  )
}

const Nothing = ({ links }: { links: ReactNode }) => (
  <Notice icon={Compass} title="There is nothing here" isAlert actions={links}>
    <p>No page has this address. It may be mistyped.</p>
  </Notice>
)
