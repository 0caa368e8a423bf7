import './ui/tokens.css'
import './ui/base.css'
import './ui/controls.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { I18nProvider } from 'react-aria-components/I18nProvider'
import { BrowserRouter } from 'react-router'
import { Pages } from './pages.tsx'
import { ErrorBoundary } from './shell/ErrorBoundary.tsx'
import { applyLocale, uiLocale } from './ui/locale.ts'
import { Messages } from './ui/Messages.tsx'
import { applyTheme } from './ui/theme.ts'

applyLocale()
applyTheme()

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element with the id root')

createRoot(root).render(
  <StrictMode>
    <I18nProvider locale={uiLocale.formats}>
      <ErrorBoundary>
        <BrowserRouter>
          <Pages />
        </BrowserRouter>
        <Messages />
      </ErrorBoundary>
    </I18nProvider>
  </StrictMode>,
)
