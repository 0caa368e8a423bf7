import { ApolloProvider } from '@apollo/client/react'
import { WifiOff, BrushCleaning, Files, ScrollText, Trash2 } from 'lucide-react'
import { useSyncExternalStore, Suspense, useEffect } from 'react'
import { NavLink, Outlet } from 'react-router'
import { clientOf } from '../apollo/tenantClients.ts'
import { paths } from '../paths.ts'
import { keepLastTenant } from '../session/session.ts'
import { SkeletonRows } from '../ui/VirtualTable.tsx'
import { Logo } from '../ui/Logo.tsx'
import { formatBytes, formatCount } from '../ui/formatBytes.ts'
import { lazyPart } from '../ui/lazyPart.ts'
import { DropTarget } from '../uploads/DropTarget.tsx'
import { UploadDock } from '../uploads/UploadDock.tsx'
import { uploads } from '../uploads/uploads.ts'
import { TenantSwitcher } from './TenantSwitcher.tsx'
import { UserMenu } from './UserMenu.tsx'
import { useShell, useMay, useTenant } from './useShell.ts'
import './shell.css'

/** Says that the data may be old. It is loaded again once there is a network. */
function OfflineNote() {
  const isOnline = useSyncExternalStore(subscribe, () => navigator.onLine)
  return (
    <div role="status">
      {!isOnline && (
        <p className="offline-note">
          <WifiOff size={16} aria-hidden /> You are offline. What you see may be out of date.
        </p>
      )}
    </div>
  )
}

function subscribe(listener: () => void) {
  window.addEventListener('online', listener)
  window.addEventListener('offline', listener)
  return () => {
    window.removeEventListener('online', listener)
    window.removeEventListener('offline', listener)
  }
}

/** The used space and the quota. Space that pending uploads reserve counts as used. */
function UsageMeter() {
  const usage = useShell()?.usage
  if (!usage) return null
  const used = usage.storedBytes + usage.reservedBytes
  const files = `${formatCount(usage.fileCount)} ${usage.fileCount === 1 ? 'file' : 'files'}`
  if (usage.quotaBytes === null) {
    return (
      <p className="usage soft">
        {files}, {formatBytes(used)}
      </p>
    )
  }
  const share = usage.quotaBytes > 0 ? Math.min(1, used / usage.quotaBytes) : 1
  return (
    <div className="usage soft">
      <p>
        {formatBytes(used)} of {formatBytes(usage.quotaBytes)} used
      </p>
      <div
        className="progress"
        role="meter"
        aria-label="Space used"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
      >
        <div className="progress-fill" style={{ width: `${Math.max(share * 100, 1)}%` }} />
      </div>
      <p>{files}</p>
    </div>
  )
}

const DeletesRefused = lazyPart(() => import('./DeletesRefused.tsx').then((part) => part.DeletesRefused))

/** The frame around the pages of a tenant. Each tenant has its own client, cache and tree. */
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
