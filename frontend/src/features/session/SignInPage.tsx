import { useState } from 'react'
import { SignIn } from './SignIn'
import { SignInLink, linkToken } from './SignInLink'

/** `/sign-in`: by a link's token, else by password. */
export function SignInPage() {
  const [token, setToken] = useState(() => linkToken(location.hash))
  return token === null ? <SignIn /> : <SignInLink token={token} onGiveUp={() => setToken(null)} />
}
