import './ui/tokens.css'
import './ui/base.css'
import './ui/controls.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router/dom'
import { whenSignedOut } from './apollo/tenantClients.ts'
import { paths } from './paths.ts'
import { router } from './router.tsx'
import { applyTheme } from './ui/theme.ts'
import { Toasts } from './ui/toasts.tsx'

applyTheme()

whenSignedOut(() => {
  const { pathname, search } = router.state.location
  if (pathname !== '/sign-in') void router.navigate(paths.signIn(pathname + search), { replace: true })
})

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element with the id root')

createRoot(root).render(
  <StrictMode>
    <RouterProvider router={router} />
    <Toasts />
  </StrictMode>,
)
