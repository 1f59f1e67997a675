import { Box, Button } from '@mui/material'
import { Fragment, useEffect, useState } from 'react'
import type { TypedDocumentNode } from 'urql'
import { errorMessage } from '@/shared/graphql/errors'
import { useData } from '@/shared/graphql/useData'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import { ErrorBanner } from './ErrorBanner'
import { TextSkeleton } from './Skeleton'
import { inset, plainList } from './styles'

const PAGE = 25

interface PageVariables {
  first: number
  after?: string | null
}
interface Connection<Item> {
  nodes: Item[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}

interface ListProps<Data, Variables extends PageVariables, Item> {
  query: TypedDocumentNode<Data, Variables>
  variables: Omit<Variables, keyof PageVariables>
  connectionOf: (data: Data) => Connection<Item> | null | undefined
  keyOf: (item: Item) => string
  /** An `li`. */
  children: (item: Item) => React.ReactNode
  /** How many items a page has. */
  first?: number
  /** When it grows, all pages are read again. */
  version?: number
  /** What is said of a list without items. */
  empty?: React.ReactNode
}

/** The items of a connection, a page at a time. Other variables lead back to the first page. */
export function PagedList<Data, Variables extends PageVariables, Item>({
  label,
  ...list
}: ListProps<Data, Variables, Item> & { label: string }) {
  const [pages, setPages] = useState(1)
  const question = JSON.stringify(list.variables)
  const [asked, setAsked] = useState(question)
  if (asked !== question) {
    setAsked(question)
    setPages(1)
  }
  return (
    <Box component="ul" aria-label={label} sx={plainList}>
      <Page {...list} after={null} pages={pages} onMore={() => setPages(pages + 1)} />
    </Box>
  )
}

interface PageProps<Data, Variables extends PageVariables, Item> extends ListProps<Data, Variables, Item> {
  after: string | null
  /** How many pages are shown from here on. */
  pages: number
  onMore: () => void
}

/** One page, and those after it. Each begins where the page before it ends now: no item is left out or there twice. */
function Page<Data, Variables extends PageVariables, Item>({
  after,
  pages,
  ...list
}: PageProps<Data, Variables, Item>) {
  const { query, variables, connectionOf, keyOf, children, first = PAGE, version = 0, empty, onMore } = list
  const { data, error, refetch } = useData({ query, variables: { ...variables, first, after } as Variables })
  useEffect(() => {
    if (version > 0) refetch()
  }, [version, refetch])
  const connection = data && connectionOf(data)
  const next = connection?.pageInfo.hasNextPage ? connection.pageInfo.endCursor : null
  return (
    <>
      {error && (
        <Box component="li" sx={{ ...inset, py: 3 }}>
          <ErrorBanner onRetry={refetch}>{errorMessage(error)}</ErrorBanner>
        </Box>
      )}
      {!data && !error && (
        <Box component="li" sx={{ ...inset, py: 4 }}>
          <TextSkeleton />
        </Box>
      )}
      {connection?.nodes.map((item) => (
        <Fragment key={keyOf(item)}>{children(item)}</Fragment>
      ))}
      {after === null && empty && connection?.nodes.length === 0 && (
        <Box component="li" sx={{ ...inset, py: 6, color: vars.textSecondary, textAlign: 'center' }}>
          {empty}
        </Box>
      )}
      {next !== null && pages > 1 && <Page {...list} after={next} pages={pages - 1} />}
      {next !== null && pages === 1 && (
        <Box component="li" sx={{ ...inset, py: 3, '& + &, li + &': { borderTop: `1px solid ${vars.border}` } }}>
          <Button size="small" onClick={onMore}>
            {t('more')}
          </Button>
        </Box>
      )}
    </>
  )
}
