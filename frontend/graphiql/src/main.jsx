import 'graphiql/style.css'
import './page.css'
import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { GraphiQL } from 'graphiql'
import { createClient } from 'graphql-ws'
import { createRoot } from 'react-dom/client'
import { examples } from './examples'

const origin = location.origin
const wsClient = createClient({ url: `${origin.replace(/^http/, 'ws')}/graphql`, lazyCloseTimeout: 3_000 })
/** Same origin, so the session's cookie signs the requests in. */
const fetcher = createGraphiQLFetcher({ url: `${origin}/graphql`, wsClient })

function Playground() {
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={examples}
      defaultEditorToolsVisibility="variables"
      shouldPersistHeaders={false}
    >
      <GraphiQL.Logo>
        <a href="/" className="home">
          Storefleet
        </a>
      </GraphiQL.Logo>
    </GraphiQL>
  )
}

createRoot(document.getElementById('root')).render(<Playground />)
