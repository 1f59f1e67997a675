const list = `# Your stores. Press the play button, or Ctrl-Enter (⌘-Enter).
query Stores {
  stores(first: 10) {
    nodes {
      id
      name
      slug
      status
      url
      health {
        state
        cause
      }
    }
  }
}
`
const create = `# Makes a store. The answer comes at once; the tab "Events" shows how it is set up.
mutation CreateStore($input: CreateStoreInput!) {
  createStore(input: $input) {
    store {
      id
      slug
      status
      url
    }
    userErrors {
      code
      field
      message
    }
  }
}
`
const events = `# Each event of your account as it happens. Leave it running, and create a store in the tab beside it.
subscription Events {
  accountEvents {
    cursor
    type
    message
    store {
      slug
      status
    }
  }
}
`
const viewer = `# Who is signed in, and what is left of the limits.
query Viewer {
  viewer {
    user {
      email
    }
    accounts {
      id
      name
      role
      storesUsed
      storeQuota
      creationsLeft
    }
  }
}
`

/** One tab each. */
export const examples = [
  { query: list },
  { query: create, variables: JSON.stringify({ input: { name: 'Fig & Olive', engine: 'WOOCOMMERCE' } }, null, 2) },
  { query: events },
  { query: viewer },
]
