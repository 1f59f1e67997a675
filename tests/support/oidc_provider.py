"""An OpenID provider on this machine that answers as a test says, also wrongly. tests/browser has a real one."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
from aiohttp import encode_basic_auth, web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID = "storefleet"
CLIENT_SECRET = "marked-client-secret"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Key:
    """A key of the provider, by its name."""

    name: str
    private: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def public(self) -> dict[str, Any]:
        jwk: dict[str, Any] = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**jwk, "kid": self.name, "use": "sig", "alg": "RS256"}


@dataclass
class FakeProvider:
    """`claims` go into the ID token, over correct ones; None removes one. `sign` makes the token.

    `answers`: what a path answers instead, by path. `requests`: the paths that were asked for, in order.
    """

    url: str
    key: Key
    keys: list[Key]
    now: Callable[[], int]
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    answers: dict[str, Handler] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, query: dict[str, str]) -> str:
        """What the provider's sign-in page does when the person agrees: the URL to which it leads back."""
        code = f"code-{len(self._codes)}-{len(self.forms)}"
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path)
        if request.path in self.answers:
            return await self.answers[request.path](request)
        match request.path:
            case "/.well-known/openid-configuration":
                return web.json_response(self._metadata())
            case "/jwks":
                return web.json_response({"keys": [key.public for key in self.keys]})
            case "/token":
                return await self._token(request)
            case "/userinfo":
                return web.json_response(self.userinfo)
        return web.Response(status=404)

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize?realm=main",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "userinfo_endpoint": f"{self.url}/userinfo",
            **self.metadata,
        }

    async def _token(self, request: web.Request) -> web.StreamResponse:
        """A code works once, for its client, its redirect URI, and the verifier of its challenge (RFC 7636)."""
        form = dict(parse_qsl(await request.text()))
        self.forms.append(form)
        query = self._codes.pop(form.get("code", ""), None)
        basic = request.headers.get("Authorization", "")
        if (
            query is None
            or basic != encode_basic_auth(CLIENT_ID, CLIENT_SECRET)
            or form["redirect_uri"] != query["redirect_uri"]
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        assert challenge(form["code_verifier"]) == query["code_challenge"]
        claims = {
            "iss": self.url,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "iat": self.now(),
            "exp": self.now() + 300,
            "nonce": query["nonce"],
            "email": "new@corp.example",
            "email_verified": True,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.sign(claims) if self.sign else self.signed(claims)
        return web.json_response({"access_token": "access", "token_type": "Bearer", "id_token": token})

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        return jwt.encode(claims, self.key.private, "RS256", headers={"kid": self.key.name, **header})


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@asynccontextmanager
async def run_provider(key: Key, now: Callable[[], int]) -> AsyncIterator[FakeProvider]:
    """A provider until the end of the block."""
    provider = FakeProvider("", key, [key], now)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", provider.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield provider
    finally:
        await runner.cleanup()
