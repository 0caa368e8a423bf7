import { createBrowserRouter } from 'react-router'
import { FilesPage } from './files/FilesPage.tsx'
import { SignInPage } from './session/SignInPage.tsx'
import { StartPage } from './session/StartPage.tsx'
import { BrokenPage } from './shell/BrokenPage.tsx'
import { NotFoundPage } from './shell/NotFoundPage.tsx'
import { Shell } from './shell/Shell.tsx'

/** Files is what people come for, so it is there at once; the other pages are fetched when they are opened. */
export const router = createBrowserRouter([
  {
    ErrorBoundary: BrokenPage,
    children: [
      { path: '/', Component: StartPage },
      { path: '/sign-in', Component: SignInPage },
      {
        path: '/t/:tenant',
        Component: Shell,
        children: [
          { path: 'files', Component: FilesPage },
          { path: 'trash', lazy: async () => ({ Component: (await import('./trash/TrashPage.tsx')).TrashPage }) },
          { path: 'audit', lazy: async () => ({ Component: (await import('./audit/AuditPage.tsx')).AuditPage }) },
        ],
      },
      { path: '*', Component: NotFoundPage },
    ],
  },
])
