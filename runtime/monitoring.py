"""A port for Prometheus and a cluster's probes, apart from the public port. A thread answers, even while the event loop
is busy."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from runtime.listening_socket import bind_socket

Check = Callable[[], str | None]
"""What is wrong, or None."""


class _Server(ThreadingHTTPServer):
    checks: Mapping[str, Check]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(HTTPStatus.OK, generate_latest(), CONTENT_TYPE_LATEST)
        elif check := self.server.checks.get(self.path):
            problem = check()
            status = HTTPStatus.OK if problem is None else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, f"{problem or 'ok'}\n".encode())
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"there are /metrics and a worker's /healthz and /readyz\n")

    def _answer(self, status: HTTPStatus, body: bytes, media_type: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing: probes come every few seconds."""


def serve_monitoring(port: int, checks: Mapping[str, Check]) -> None:
    """Serve /metrics and the paths of `checks` until the process ends: 200, or 503 with what is wrong.

    Raises PortInUseError.
    """
    listener = bind_socket("0.0.0.0", port)  # noqa: S104  # probes and Prometheus come from other machines
    server = _Server(listener.getsockname(), _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket, server.checks = listener, checks
    Thread(target=server.serve_forever, name="monitoring", daemon=True).start()
