import './ui/tokens.css'
import './ui/base.css'
import './ui/controls.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router'
import { Pages } from './pages.tsx'
import { ErrorBoundary } from './shell/ErrorBoundary.tsx'
import { applyTheme } from './ui/theme.ts'
import { Messages } from './ui/Messages.tsx'

applyTheme()

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element with the id root')

createRoot(root).render(
  <StrictMode>
    <ErrorBoundary>
      <BrowserRouter>
        <Pages />
      </BrowserRouter>
      <Messages />
    </ErrorBoundary>
  </StrictMode>,
)
