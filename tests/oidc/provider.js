// A certified OpenID provider for tests: node provider.js PORT CLIENT_ID CLIENT_SECRET REDIRECT_URI
// Its pages accept every user name with every password. The user NAME has the address NAME@corp.example, verified unless
// the name begins with "unverified". Prints its address when it listens.
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'

const [port, clientId, clientSecret, redirectUri] = process.argv.slice(2)
const issuer = `http://localhost:${port}`
const provider = new Provider(issuer, {
  clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, email: `${sub}@corp.example`, email_verified: !sub.startsWith('unverified') }),
  }),
  pkce: { required: () => true },
  discovery: { prompt_values_supported: ['none', 'login', 'consent'] },
  cookies: { keys: ['a key of a test'] },
})
createServer(provider.callback()).listen(Number(port), '127.0.0.1', () => console.log(issuer))
