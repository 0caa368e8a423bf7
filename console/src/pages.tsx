import { lazy, Suspense, useEffect } from 'react'
import { Navigate, Route, Routes, useLocation, useNavigate } from 'react-router'
import { whenSignedOut } from './apollo/tenantClients.ts'
import { FilesPage } from './files/FilesPage.tsx'
import { paths } from './paths.ts'
import { Shell } from './shell/Shell.tsx'

// Files is what people come for, so it is there at once; the other pages are fetched when they are opened.
const SignInPage = lazy(() => import('./session/SignInPage.tsx').then((page) => ({ default: page.SignInPage })))
const StartPage = lazy(() => import('./session/StartPage.tsx').then((page) => ({ default: page.StartPage })))
const TrashPage = lazy(() => import('./trash/TrashPage.tsx').then((page) => ({ default: page.TrashPage })))
const CleanupPage = lazy(() => import('./cleanup/CleanupPage.tsx').then((page) => ({ default: page.CleanupPage })))
const NotFoundPage = lazy(() => import('./shell/NotFoundPage.tsx').then((page) => ({ default: page.NotFoundPage })))
const NoSuchPage = lazy(() => import('./shell/NotFoundPage.tsx').then((page) => ({ default: page.NoSuchPage })))
const AuditPage = lazy(() => import('./audit/AuditPage.tsx').then((page) => ({ default: page.AuditPage })))

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

/** Whichever request notices that the session has ended, people sign in and come back to where they were. */
function useSignInWhenSignedOut() {
  const navigate = useNavigate()
  const { pathname, search } = useLocation()
  useEffect(() => {
    whenSignedOut(() => {
      if (pathname !== '/sign-in') void navigate(paths.signIn(pathname + search), { replace: true })
    })
  }, [navigate, pathname, search])
}
