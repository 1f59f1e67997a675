"""The owner of a shop of the MedusaJS image, as a client of its web server."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.node.containers import Container
from tests.node.medusa_shops import ENV
from tests.node.shops import HOST

JSON = dict[str, Any]
Answer = tuple[int, dict[str, str], str]
PASSWORD = ENV["STORE_ADMIN_PASSWORD"]


@dataclass
class Client:
    """Sends what it knows, the cookie of a session, in each request."""

    web: Container
    host: str = HOST
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, path: str, method: str = "GET", body: JSON | str | None = None, **headers: str) -> Answer:
        """`body`: JSON, or a text of a type that is in the headers."""
        given = {"Host": self.host, **self.headers, **headers}
        if isinstance(body, dict):
            given["Content_Type"], body = "application/json", json.dumps(body)
        return self.web.request(path, method, body, **given)

    def try_password(self, password: str, email: str = ENV["STORE_ADMIN_EMAIL"], actor: str = "user") -> Answer:
        return self.send(f"/auth/{actor}/emailpass", "POST", {"email": email, "password": password})

    def sign_in(self, password: str = PASSWORD, email: str = ENV["STORE_ADMIN_EMAIL"], actor: str = "user") -> str:
        """The new token."""
        status, _, text = self.try_password(password, email, actor)
        assert status == 200, text
        token: str = json.loads(text)["token"]
        return token

    def open_session(self, token: str) -> str:
        """The cookie with its attributes, which the next requests have."""
        status, headers, text = self.send("/auth/session", "POST", Authorization=f"Bearer {token}")
        assert status == 200, text
        cookie = headers["Set-Cookie"]
        self.headers["Cookie"] = cookie.partition(";")[0]
        return cookie
