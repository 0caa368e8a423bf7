import './shell.css'
import { ApolloProvider } from '@apollo/client/react'
import { BrushCleaning, Files, ScrollText, Trash2 } from 'lucide-react'
import { Suspense, useEffect } from 'react'
import { NavLink, Outlet } from 'react-router'
import { clientOf } from '../apollo/tenantClients.ts'
import { paths } from '../paths.ts'
import { keepLastTenant } from '../session/lastTenant.ts'
import { DropTarget } from '../uploads/DropTarget.tsx'
import { UploadDock } from '../uploads/UploadDock.tsx'
import { uploads } from '../uploads/uploads.ts'
import { Logo } from '../ui/Logo.tsx'
import { SkeletonRows } from '../ui/SkeletonRows.tsx'
import { OfflineNote } from './OfflineNote.tsx'
import { TenantSwitcher } from './TenantSwitcher.tsx'
import { UsageMeter } from './UsageMeter.tsx'
import { UserMenu } from './UserMenu.tsx'
import { useMay, useShell, useTenant } from './useShell.ts'
import { lazyPart } from '../ui/lazyPart.ts'

const DeletesRefused = lazyPart(() => import('./DeletesRefused.tsx').then((part) => part.DeletesRefused))

/** What stands around the pages of a tenant. Another tenant is another client, another cache and another tree. */
export function Shell() {
  const tenant = useTenant()
  return (
    <ApolloProvider client={clientOf(tenant)} key={tenant}>
      <div className="shell">
        <a className="skip-link" href="#page">
          Skip to the page
        </a>
        <Sidebar />
        <main id="page" className="page" tabIndex={-1}>
          <OfflineNote />
          <StorageWarning />
          <Suspense fallback={<SkeletonRows />}>
            <Outlet />
          </Suspense>
        </main>
        <UploadDock />
        <DropTarget />
      </div>
    </ApolloProvider>
  )
}

function StorageWarning() {
  const since = useShell()?.viewer?.tenant.deletesRefusedSince
  return <Suspense>{since && <DeletesRefused since={since} />}</Suspense>
}

function Sidebar() {
  const tenant = useTenant()
  const viewer = useShell()?.viewer
  const known = viewer?.tenant.slug
  const person = viewer?.principal.email
  const isAdmin = useMay('ADMIN')
  useEffect(() => {
    if (known) keepLastTenant(known)
  }, [known])
  useEffect(() => {
    if (person) uploads.signedInAs(person)
  }, [person])

  return (
    <header className="sidebar">
      <div className="brand">
        <Logo />
        <span className="brand-name">Filegraph</span>
      </div>
      <TenantSwitcher />
      <nav className="nav" aria-label="Pages">
        <NavLink className="nav-link" to={paths.files(tenant)}>
          <Files size={18} aria-hidden />
          <span>Files</span>
        </NavLink>
        <NavLink className="nav-link" to={paths.trash(tenant)}>
          <Trash2 size={18} aria-hidden />
          <span>Trash</span>
        </NavLink>
        {isAdmin && (
          <>
            <NavLink className="nav-link" to={paths.audit(tenant)}>
              <ScrollText size={18} aria-hidden />
              <span>Audit log</span>
            </NavLink>
            <NavLink className="nav-link" to={paths.cleanup(tenant)}>
              <BrushCleaning size={18} aria-hidden />
              <span>Cleanup</span>
            </NavLink>
          </>
        )}
      </nav>
      <UsageMeter />
      <UserMenu />
    </header>
  )
}
