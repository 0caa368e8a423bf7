import './ui/tokens.css'
import './ui/base.css'
import './ui/controls.css'
import './ui/forcedColors.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { I18nProvider } from 'react-aria-components/I18nProvider'
import { BrowserRouter } from 'react-router'
import { basePath } from './basePath.ts'
import { Pages } from './pages.tsx'
import { ErrorBoundary } from './shell/ErrorBoundary.tsx'
import { fetchPartsAhead } from './ui/lazyPart.ts'
import { applyLocale, uiLocale } from './ui/locale.ts'
import { Messages } from './ui/Messages.tsx'
import { surviveTranslation } from './ui/surviveTranslation.ts'
import { applyTheme } from './ui/theme.ts'
import { refuseStrayDrops } from './uploads/dropped.ts'

applyLocale()
surviveTranslation()
refuseStrayDrops()
applyTheme()
fetchPartsAhead()

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element with the id root')

// If PUBLIC_URL has a path, the server answers without that path too, because some proxies strip it.
if (!`${location.pathname}/`.startsWith(basePath)) location.replace(basePath)
else {
  createRoot(root).render(
    <StrictMode>
      <I18nProvider locale={uiLocale.formats}>
        <ErrorBoundary>
          <BrowserRouter basename={basePath.slice(0, -1) || '/'}>
            <Pages />
          </BrowserRouter>
          <Messages />
        </ErrorBoundary>
      </I18nProvider>
    </StrictMode>,
  )
}
