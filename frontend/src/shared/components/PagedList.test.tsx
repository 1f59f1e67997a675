import { cleanup, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, expect, test, vi } from 'vitest'
import { Provider } from 'urql'
import { createGraphQLClient } from '@/shared/graphql/client'
import { graphql } from '@/shared/graphql/graphql'
import { mockApi } from '@/testing/api'
import { PagedList } from './PagedList'

const Members = graphql(`
  query Members($id: ID!, $first: Int!, $after: String) {
    account(id: $id) {
      id
      membersConnection(first: $first, after: $after) {
        nodes {
          userId
          accountId
          email
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`)

/** Answers pages of the people, whose names are also their cursors. */
function answerPagesOf(people: string[]) {
  const membersConnection = ({ first, after }: { first: number; after: string | null }) => {
    const rest = people.filter((name) => after === null || name > after)
    const nodes = rest.slice(0, first).map((name) => ({ userId: name, accountId: 'a', email: name }))
    return { nodes, pageInfo: { hasNextPage: rest.length > first, endCursor: nodes.at(-1)?.email ?? null } }
  }
  return mockApi({ account: ({ id }: { id: string }) => ({ id, membersConnection }) })
}

const client = createGraphQLClient(() => undefined)
const list = (id: string, version = 0) => (
  <Provider value={client}>
    <PagedList
      label="People"
      query={Members}
      variables={{ id }}
      connectionOf={(data) => data.account?.membersConnection}
      keyOf={({ userId }) => userId}
      first={2}
      version={version}
      empty="Nobody"
    >
      {({ email }) => <li>{email}</li>}
    </PagedList>
  </Provider>
)
const rows = () => screen.getAllByRole('listitem').map((row) => row.textContent)
const settle = (...expected: string[]) => vi.waitFor(() => expect(rows()).toEqual(expected))

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

test('a page is added at a time, to the end', async () => {
  answerPagesOf(['ada', 'bea', 'cleo', 'dora', 'eva'])
  render(list('one'))
  await settle('ada', 'bea', 'Show more')
  await userEvent.click(screen.getByRole('button', { name: 'Show more' }))
  await settle('ada', 'bea', 'cleo', 'dora', 'Show more')
  await userEvent.click(screen.getByRole('button', { name: 'Show more' }))
  await settle('ada', 'bea', 'cleo', 'dora', 'eva')
})

test('after another read no item is left out and none is there twice; other variables lead to the first page', async () => {
  const people = ['bea', 'cleo', 'dora', 'eva', 'flo']
  answerPagesOf(people)
  const { rerender } = render(list('two'))
  await settle('bea', 'cleo', 'Show more')
  await userEvent.click(screen.getByRole('button', { name: 'Show more' }))
  await settle('bea', 'cleo', 'dora', 'eva', 'Show more')
  people.unshift('ada')
  rerender(list('two', 1))
  await settle('ada', 'bea', 'cleo', 'dora', 'Show more')
  people.splice(0, 3)
  rerender(list('two', 2))
  await settle('dora', 'eva', 'flo')
  rerender(list('three', 2))
  await settle('dora', 'eva', 'Show more')
})

test('says that there is nothing, and what went wrong', async () => {
  answerPagesOf([])
  render(list('four'))
  expect(screen.getByRole('status', { name: 'Loading' })).toBeTruthy()
  await settle('Nobody')
  cleanup()
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')))
  render(list('five'))
  expect((await screen.findByRole('alert')).textContent).toContain('can’t be reached')
  answerPagesOf(['ada'])
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
  await settle('ada')
})
