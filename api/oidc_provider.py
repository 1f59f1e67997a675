"""The OpenID provider: discovery, the exchange of a code, and the checks of an ID token (OpenID Connect Core 1.0).

What the provider answers is kept for ten minutes. PyJWT checks signatures and claims. Only an unknown key is
retried: the keys are then fetched again once.
"""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import jwt
from yarl import URL

from runtime.settings import Settings

REQUEST_SECONDS = 10.0
CACHE_SECONDS = 600.0
CLOCK_SKEW_SECONDS = 60
MAX_ANSWER = 500_000
"""Bytes."""
MAX_SUBJECT = 255
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Only signatures of the provider's own keys: neither `none` nor HMAC."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Problem(StrEnum):
    """Why a person isn't signed in. The sign-in page has a text for each (frontend/src/shared/i18n)."""

    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    NOT_VERIFIED = "not_verified"
    DOMAIN = "domain"
    NO_USER = "no_user"
    OTHER_IDENTITY = "other_identity"
    RATE_LIMITED = "rate_limited"


class OidcError(Exception):
    """`detail` is for the log: it never has a secret, a code or a token."""

    def __init__(self, problem: Problem, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail


@dataclass(frozen=True)
class Flow:
    """The values of one sign-in, which only this browser and the provider have."""

    state: str
    nonce: str
    code_verifier: str
    code_challenge: str


@dataclass(frozen=True)
class Person:
    """Who has signed in at the provider. `email`: verified, and of an allowed domain."""

    subject: str
    email: str


class OidcProvider:
    """One provider. All requests of the process share it."""

    def __init__(self, settings: Settings, http: aiohttp.ClientSession) -> None:
        self.issuer = settings.oidc_issuer or ""
        self._client_id = settings.oidc_client_id or ""
        self._secret = settings.oidc_client_secret
        self._domains = settings.oidc_domains
        self._redirect_uri = f"{settings.origin}/auth/oidc/callback"
        self._http = http
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    async def authorization_url(self, flow: Flow, *, choose: bool) -> str:
        """Where the browser goes. `choose`: the person chooses who to be, also when signed in. Raises OidcError."""
        metadata = await self._metadata()
        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": "openid email",
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.code_challenge,
            "code_challenge_method": "S256",
        }
        prompts = metadata.get("prompt_values_supported", ["select_account"])
        if choose and (prompt := next((name for name in ("select_account", "login") if name in prompts), None)):
            parameters["prompt"] = prompt
        return str(URL(metadata["authorization_endpoint"]).update_query(parameters))

    async def identify(self, code: str, flow: Flow) -> Person:
        """Exchange the code, and check who it is. Raises OidcError."""
        metadata = await self._metadata()
        tokens = await self._exchange(metadata, code, flow)
        claims = await self._checked_claims(metadata, str(tokens.get("id_token")), flow.nonce)
        profile: Mapping[str, Any] = claims
        if "email" not in claims and "userinfo_endpoint" in metadata:  # where a strict provider has it
            bearer = {"Authorization": f"Bearer {tokens.get('access_token')}"}
            profile = await self._request("GET", metadata["userinfo_endpoint"], headers=bearer)
            if profile.get("sub") != claims["sub"]:
                raise OidcError(Problem.REFUSED, "the user info is of another subject")
        return Person(claims["sub"], self._allowed_email(profile))

    def _allowed_email(self, profile: Mapping[str, Any]) -> str:
        email = profile.get("email")
        # Microsoft Entra says by xms_edov that the tenant has verified the domain of the address
        verified = profile.get("email_verified") is True or profile.get("xms_edov") in (True, 1, "1", "true")
        if not isinstance(email, str) or not verified:
            raise OidcError(Problem.NOT_VERIFIED, "there is no e-mail address that the provider has verified")
        if email.rpartition("@")[2].lower() not in self._domains:
            raise OidcError(Problem.DOMAIN, "the e-mail address has another domain")
        return email

    async def _exchange(self, metadata: Mapping[str, Any], code: str, flow: Flow) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": flow.code_verifier,
        }
        headers = {}
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if self._secret is None:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in methods:
            name, password = quote_plus(self._client_id), quote_plus(self._secret.get_secret_value())
            headers["Authorization"] = aiohttp.encode_basic_auth(name, password)
        else:
            form |= {"client_id": self._client_id, "client_secret": self._secret.get_secret_value()}
        return await self._request("POST", metadata["token_endpoint"], data=form, headers=headers)

    async def _checked_claims(self, metadata: Mapping[str, Any], token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token for this client and this sign-in."""
        try:
            key = await self._key(metadata["jwks_uri"], jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._client_id,
                issuer=self.issuer,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat"], "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            raise OidcError(Problem.REFUSED, f"the ID token is refused: {type(error).__name__}") from None
        if not compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
            raise OidcError(Problem.REFUSED, "the ID token has another nonce")
        is_only_ours = claims["aud"] in (self._client_id, [self._client_id])
        if claims.get("azp", self._client_id if is_only_ours else None) != self._client_id:
            raise OidcError(Problem.REFUSED, "the ID token is for another client")
        if not 0 < len(str(claims["sub"])) <= MAX_SUBJECT:
            raise OidcError(Problem.REFUSED, "the ID token's subject is empty or too long")
        return claims

    async def _key(self, url: str, header: Mapping[str, Any]) -> jwt.PyJWK:
        """The key that the header names. Keys are rotated: an unknown one is looked for again. Raises PyJWTError."""
        if header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError
        for again in (False, True):
            found = (await self._get(url, again=again)).get("keys")
            keys: list[Any] = found if isinstance(found, list) else []
            for key in keys:
                if isinstance(key, dict) and _is_meant(key, header, alone=len(keys) == 1):
                    return jwt.PyJWK(key, header["alg"])
        raise jwt.InvalidKeyError

    async def _metadata(self) -> dict[str, Any]:
        """The provider's metadata, checked. Raises OidcError."""
        metadata = await self._get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        secure = self.issuer.startswith("https:")
        endpoints = [metadata.get(name) for name in (*ENDPOINTS, "userinfo_endpoint")]
        if metadata.get("issuer") != self.issuer or not all(
            isinstance(url, str) for url in endpoints[: len(ENDPOINTS)]
        ):
            raise OidcError(Problem.UNAVAILABLE, "the metadata is incomplete, or has another issuer")
        if secure and not all(url is None or str(url).startswith("https:") for url in endpoints):
            raise OidcError(Problem.UNAVAILABLE, "the metadata has an address without https")
        return metadata

    async def _get(self, url: str, *, again: bool = False) -> dict[str, Any]:
        """A document of the provider, from this process's memory if it is there. Raises OidcError."""
        ends, document = self._kept.get(url, (0.0, {}))
        if again or ends < time.monotonic():
            document = await self._request("GET", url)
            self._kept[url] = (time.monotonic() + CACHE_SECONDS, document)
        return document

    async def _request(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """The JSON object that the provider answers. Raises OidcError."""
        path = URL(url).path
        body = bytearray()
        try:
            async with self._http.request(method, url, allow_redirects=False, **options) as response:
                async for chunk in response.content.iter_chunked(65_536):
                    body += chunk
                    if len(body) > MAX_ANSWER:
                        raise OidcError(Problem.UNAVAILABLE, f"{path} answered too much")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise OidcError(Problem.UNAVAILABLE, f"{path} can't be reached: {type(error).__name__}") from None
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if response.status == 200 and isinstance(answer, dict):
            return answer
        if response.status in range(400, 429) and isinstance(answer, dict):
            raise OidcError(Problem.REFUSED, f"{path} answered {response.status} {str(answer.get('error'))[:100]!r}")
        raise OidcError(Problem.UNAVAILABLE, f"{path} answered {response.status}, or no JSON object")


def _is_meant(key: Mapping[str, Any], header: Mapping[str, Any], *, alone: bool) -> bool:
    """Whether the header means this key. `alone`: the provider has no other, so the header need not name it."""
    named = key.get("kid") == header["kid"] if "kid" in header else alone
    return named and key.get("use", "sig") == "sig" and key.get("alg", header["alg"]) == header["alg"]


@asynccontextmanager
async def open_provider(settings: Settings) -> AsyncIterator[OidcProvider]:
    """The provider of the settings."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    ) as http:
        yield OidcProvider(settings, http)
