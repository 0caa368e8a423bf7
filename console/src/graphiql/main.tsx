import 'graphiql/setup-workers/vite'
import 'graphiql/style.css'
import './graphiql.css'
import { GraphiQL } from 'graphiql'
import { createRoot } from 'react-dom/client'
import { basePath } from '../basePath.ts'
import { examples } from './examples.ts'
import { refuseStrayDrops } from '../uploads/dropped.ts'
import { sendOperation } from './sendOperation.ts'

const root = document.getElementById('root')
if (!root) throw new Error('graphiql.html has no element with the id root')

refuseStrayDrops()

createRoot(root).render(
  <GraphiQL
    fetcher={sendOperation}
    defaultTabs={examples}
    defaultEditorToolsVisibility="headers"
    shouldPersistHeaders={false}
    inputValueDeprecation
  >
    <GraphiQL.Logo>
      <a href={basePath} className="brand">
        Filegraph
      </a>
    </GraphiQL.Logo>
  </GraphiQL>,
)
