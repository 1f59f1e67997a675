import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { MemoryRouter } from 'react-router'
import { Provider } from 'urql'
import { afterEach, expect, test, vi } from 'vitest'
import { createGraphQLClient } from '@/shared/graphql/client'
import { mockApi } from '@/testing/api'
import { Accounts } from './Accounts'

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

const account = (name: string) => ({
  accountId: name,
  name,
  createdAt: '2026-11-29T12:00:00Z',
  storesUsed: 1,
  storeQuota: 15,
  creationsPerHour: 6,
  ownLimits: false,
  suspension: null,
  members: [],
})

test('a dialog outlives the row that the filter takes away', async () => {
  mockApi({
    operator: {
      accounts: ({ search }: { search: string }) => ({
        nodes: ['Fig', 'Olive'].filter((name) => name.includes(search)).map(account),
        pageInfo: { hasNextPage: false, endCursor: null },
      }),
    },
  })
  render(
    <MemoryRouter>
      <Provider value={createGraphQLClient(() => undefined)}>
        <Accounts />
      </Provider>
    </MemoryRouter>,
  )
  const suspend = await screen.findByRole('button', { name: 'Suspend Fig' })
  fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'Olive' } })
  fireEvent.click(suspend)
  fireEvent.change(screen.getByLabelText('Reason'), { target: { value: 'Unpaid bill.' } })
  await waitFor(() => expect(suspend.isConnected).toBe(false))
  expect(screen.getByLabelText<HTMLInputElement>('Reason').value).toBe('Unpaid bill.')
})
