import createCache from '@emotion/cache'
import { act, cleanup, configure, render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { mockApi, signedIn, store } from '@/testing/api'

configure({ asyncUtilTimeout: 10_000 })

interface Sink {
  next: (value: object) => void
}
const sinks: { payload: { variables: { after?: string } }; sink: Sink }[] = []
vi.mock('graphql-ws', () => ({
  createClient: () => ({
    subscribe: (payload: { variables: object }, sink: Sink) => {
      sinks.push({ payload, sink })
      return () => undefined
    },
  }),
}))

/** Each test gets a client, and so a cache, of its own. */
async function open(path: string) {
  vi.resetModules()
  history.replaceState(null, '', path)
  const { App } = await import('./App')
  render(<App cache={createCache({ key: 'test' })} />)
}
const groupOf = (name: string) => screen.getByText(name).closest('tbody')?.querySelector('th')?.textContent
const push = (event: object) =>
  act(async () => {
    sinks
      .at(-1)
      ?.sink.next({ data: { accountEvents: { __typename: 'Event', storeId: 'store-1', step: null, ...event } } })
    await Promise.resolve()
  })

beforeEach(() => {
  localStorage.setItem('sf-tour', 'seen')
  sessionStorage.clear()
  sinks.length = 0
})
afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

describe('routes', () => {
  test('lead a stranger to sign in, and remember where to', async () => {
    mockApi({ viewer: null })
    await open('/stores/fig-olive/logs?component=web')
    expect(await screen.findByRole('heading', { name: 'Sign in to Storefleet' })).toBeTruthy()
    expect(new URLSearchParams(location.search).get('next')).toBe('/stores/fig-olive/logs?component=web')
  })

  test.each([true, false])('offer to sign up only where that is open: %s', async (signUpOpen) => {
    const operations = mockApi({ viewer: null, signUpOpen })
    await open('/sign-in')
    await waitFor(() => expect(operations).toContain('SignInOptions'))
    const link = await screen.findByText('Sign up')
    await waitFor(() =>
      expect(getComputedStyle(link.closest('p') ?? link).visibility).toBe(signUpOpen ? 'visible' : 'hidden'),
    )
  })

  test('offer the OpenID provider, say what went wrong there, and then let the person choose who to be', async () => {
    mockApi({ viewer: null, signUpOpen: false, identityProvider: 'Corp' })
    await open('/sign-in?next=%2Fnew&problem=domain')
    const link = await screen.findByRole('link', { name: 'Continue with Corp' })
    expect(link.getAttribute('href')).toBe('/auth/oidc?next=%2Fnew&choose=true')
    expect(screen.getByRole('alert').textContent).toContain('another address')
    cleanup()
    await open('/sign-in?problem=constructor')
    expect((await screen.findByRole('link', { name: 'Continue with Corp' })).getAttribute('href')).toBe(
      '/auth/oidc?next=%2F',
    )
    expect(screen.queryByRole('alert')).toBeNull()
  })

  test('say that a page or a store is not there', async () => {
    mockApi(signedIn([]))
    await open('/nowhere')
    expect(await screen.findByRole('heading', { name: 'There is no such page' })).toBeTruthy()
    cleanup()
    await open('/stores/gone')
    expect(await screen.findByRole('heading', { name: 'There is no such store' })).toBeTruthy()
  })

  test('invite to the first store', async () => {
    const root = signedIn([])
    mockApi({ ...root, account: { ...root.account, storeCount: 0 } })
    await open('/')
    expect(await screen.findByRole('heading', { name: 'Open your first shop' })).toBeTruthy()
  })

  test('promise no first store to a viewer', async () => {
    const root = signedIn([])
    const account = { ...root.account, role: 'VIEWER', storeCount: 0 }
    mockApi({ ...root, account, viewer: { ...root.viewer, accountsConnection: { nodes: [account] } } })
    await open('/')
    expect(await screen.findByRole('heading', { name: 'No stores yet' })).toBeTruthy()
    expect(screen.queryByRole('link', { name: 'Create a store' })).toBeNull()
  })

  test.each(['ADMIN', 'VIEWER'])('offer to add a webhook to who may: %s', async (role) => {
    const root = signedIn([])
    const account = { ...root.account, role, webhooks: { nodes: [] } }
    mockApi({ ...root, account, viewer: { ...root.viewer, accountsConnection: { nodes: [account] } } })
    await open('/account/webhooks')
    expect(await screen.findByRole('heading', { name: 'Have your software told what happens' })).toBeTruthy()
    expect(screen.queryAllByRole('button', { name: 'Add a webhook' })).toHaveLength(role === 'VIEWER' ? 0 : 1)
  })

  test('have a tab each for a store, by its URL', async () => {
    mockApi(signedIn([store()]))
    await open('/stores/fig-olive/settings')
    expect(await screen.findByRole('heading', { name: 'Fig & Olive' })).toBeTruthy()
    expect(screen.getByRole('tab', { selected: true }).textContent).toBe('Settings')
    expect(await screen.findByText('Small: 1 CPU, 832 MiB, 4 GiB')).toBeTruthy()
  })
})

describe('a live event', () => {
  test('moves a store between the groups, and the subscription goes on after it', async () => {
    mockApi(signedIn([store()]))
    await open('/')
    await screen.findByText('Fig & Olive')
    expect(groupOf('Fig & Olive')).toContain('On the way')
    await waitFor(() => expect(sinks).toHaveLength(1))

    const health = { __typename: 'Health', state: 'HEALTHY', cause: null, since: '2026-11-29T12:01:00Z' }
    const ready = store({ status: 'READY', health, readyAt: '2026-11-29T12:01:00Z' })
    await push({
      type: 'STATUS',
      status: 'READY',
      cursor: 'c7',
      at: '2026-11-29T12:01:00Z',
      message: 'READY',
      store: ready,
    })

    await waitFor(() => expect(groupOf('Fig & Olive')).toContain('Open'))
    expect(screen.getAllByText('Fig & Olive is ready.').length).toBeGreaterThan(0)
    expect(sinks[0]?.payload.variables.after).toBe('c7')
  })

  test('shows a store that is new', async () => {
    const root = signedIn([])
    const operations = mockApi(root)
    await open('/')
    await waitFor(() => expect(sinks).toHaveLength(1))
    root.stores.nodes.push(store({ status: 'REQUESTED' }))
    await push({
      type: 'STATUS',
      status: 'REQUESTED',
      cursor: 'c1',
      at: '2026-11-29T12:00:00Z',
      message: '',
      store: store(),
    })
    expect(await screen.findByText('Fig & Olive')).toBeTruthy()
    expect(operations.filter((name) => name === 'Stores').length).toBeGreaterThan(1)
  })
})

describe('the create dialog', () => {
  test('shows what is wrong beside its field, and sends the same key again', async () => {
    const keys: string[] = []
    const taken = { code: 'SLUG_TAKEN', path: ['slug'], message: 'fig-olive is taken.' }
    mockApi({
      ...signedIn([store()]),
      slugSuggestion: { slug: 'fig-olive-2', available: false, reason: null, url: 'https://fig-olive-2.shops.example' },
      createStore: ({ input }: { input: { idempotencyKey: string } }) => {
        keys.push(input.idempotencyKey)
        return { store: null, userErrors: [taken] }
      },
    })
    await open('/new')
    const dialog = within(await screen.findByRole('dialog', { name: 'Create a store' }))
    await userEvent.type(await dialog.findByLabelText('Name'), 'Fig & Olive')
    await userEvent.click(dialog.getByRole('button', { name: /Create store/ }))
    expect(await dialog.findByText(/fig-olive is taken/)).toBeTruthy()
    await userEvent.click(dialog.getByRole('button', { name: /Create store/ }))
    await waitFor(() => expect(keys).toHaveLength(2))
    expect(keys[0]).toBe(keys[1])
  })
})
