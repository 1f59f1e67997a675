"""A user of the cluster, with the rights of a kubeconfig."""

import base64
import json
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp


@dataclass(frozen=True)
class KubernetesUser:
    """The address of an API server, and what authenticates this user there."""

    url: str
    headers: dict[str, str]
    tls: ssl.SSLContext | bool

    @classmethod
    def from_kubeconfig(cls, kubeconfig: Path) -> "KubernetesUser":
        """From a file that holds a token or a client certificate."""
        config = json.loads(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        data = {name: base64.b64decode(text) for name, text in {**cluster, **user}.items() if name.endswith("-data")}
        authority = data.get("certificate-authority-data")
        tls = ssl.create_default_context(cadata=authority.decode()) if authority else True
        if "token" in user:
            return cls(cluster["server"], {"Authorization": f"Bearer {user['token']}"}, tls)
        assert isinstance(tls, ssl.SSLContext)
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(data["client-certificate-data"] + data["client-key-data"])
            pair.flush()
            tls.load_cert_chain(pair.name)
        return cls(cluster["server"], {}, tls)

    async def request(
        self, http: aiohttp.ClientSession, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """The status and the answer: JSON, or text."""
        headers = {**self.headers, "Content-Type": "application/json"} | headers
        async with http.request(method, self.url + path, json=body, headers=headers, ssl=self.tls) as response:
            text = await response.text()
            return response.status, json.loads(text) if text.startswith("{") else text
