import { Suspense, useEffect } from 'react'
import { Navigate, Route, Routes, useLocation, useNavigate } from 'react-router'
import { whenSignedOut } from './apollo/tenantClients.ts'
import { FilesPage } from './files/FilesPage.tsx'
import { paths } from './paths.ts'
import { Shell } from './shell/Shell.tsx'
import { lazyPart } from './ui/lazyPart.ts'

// The Files page is in the first load, because most visits begin there. The other pages are fetched when they are opened.
const SignInPage = lazyPart(() => import('./session/SignInPage.tsx').then((page) => page.SignInPage))
const StartPage = lazyPart(() => import('./session/StartPage.tsx').then((page) => page.StartPage))
const TrashPage = lazyPart(() => import('./trash/TrashPage.tsx').then((page) => page.TrashPage))
const CleanupPage = lazyPart(() => import('./cleanup/CleanupPage.tsx').then((page) => page.CleanupPage))
const NotFoundPage = lazyPart(() => import('./shell/NotFoundPage.tsx').then((page) => page.NotFoundPage))
const NoSuchPage = lazyPart(() => import('./shell/NotFoundPage.tsx').then((page) => page.NoSuchPage))
const AuditPage = lazyPart(() => import('./audit/AuditPage.tsx').then((page) => page.AuditPage))

/** Every page of the console and its address. */
export function Pages() {
  useSignInWhenSignedOut()
  return (
    <Suspense>
      <Routes>
        <Route path="/" element={<StartPage />} />
        <Route path="/sign-in" element={<SignInPage />} />
        <Route path="/t/:tenant" element={<Shell />}>
          <Route index element={<Navigate to="files" replace />} />
          <Route path="files" element={<FilesPage />} />
          <Route path="trash" element={<TrashPage />} />
          <Route path="audit" element={<AuditPage />} />
          <Route path="cleanup" element={<CleanupPage />} />
          <Route path="*" element={<NoSuchPage />} />
        </Route>
        <Route path="*" element={<NotFoundPage />} />
      </Routes>
    </Suspense>
  )
}

/** When any request notices that the session has ended, opens the sign-in page, which returns to the current page. */
function useSignInWhenSignedOut() {
  const navigate = useNavigate()
  const { pathname, search } = useLocation()
  useEffect(() => {
    whenSignedOut(() => {
      if (pathname !== '/sign-in') void navigate(paths.signIn(pathname + search), { replace: true })
    })
  }, [navigate, pathname, search])
}
