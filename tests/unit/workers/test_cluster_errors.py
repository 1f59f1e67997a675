"""Each error response of the Kubernetes API becomes an exception type, one for each reaction."""

import json

import pytest

from workers.cluster.errors import (
    AlreadyExists,
    ClusterError,
    Gone,
    NotFound,
    RequestRejected,
    TransientError,
    error_from_response,
)


def status(reason: str, message: str = "no") -> str:
    return json.dumps({"kind": "Status", "status": "Failure", "reason": reason, "message": message})


ANSWERS: list[tuple[int, str, type[ClusterError]]] = [
    (400, "BadRequest", RequestRejected),
    (401, "Unauthorized", TransientError),
    (403, "Forbidden", RequestRejected),
    (404, "NotFound", NotFound),
    (405, "MethodNotAllowed", RequestRejected),
    (408, "Timeout", TransientError),
    (409, "AlreadyExists", AlreadyExists),
    (409, "Conflict", TransientError),
    (410, "Expired", Gone),
    (413, "RequestEntityTooLarge", RequestRejected),
    (415, "UnsupportedMediaType", RequestRejected),
    (422, "Invalid", RequestRejected),
    (429, "TooManyRequests", TransientError),
    (500, "InternalError", TransientError),
    (502, "", TransientError),
    (503, "ServiceUnavailable", TransientError),
    (504, "Timeout", TransientError),
]


@pytest.mark.parametrize(("code", "reason", "error"), ANSWERS)
def test_the_type_says_what_to_do(code: int, reason: str, error: type[ClusterError]) -> None:
    made = error_from_response(code, status(reason, "because"), None)
    assert type(made) is error
    assert (made.status, made.reason, made.message, str(made)) == (code, reason, "because", "because")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("Too many requests, please try again later.\n", "Too many requests, please try again later.\n"),
        ("<html>" + "x" * 1000, "<html>" + "x" * 294),
        ("", "HTTP 503"),
        ("[1, 2]", "[1, 2]"),
        ("null", "null"),
        ('{"reason": null, "message": null}', '{"reason": null, "message": null}'),
        ("\udcff", "\udcff"),
    ],
)
def test_a_proxy_may_have_its_own_words(body: str, message: str) -> None:
    made = error_from_response(503, body, None)
    assert isinstance(made, TransientError)
    assert (made.message, made.reason) == (message, "")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7),
        ("0", 0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("Mon, 23 Nov 2026 19:00:00 GMT", None),
    ],
)
def test_how_long_to_wait(header: str | None, seconds: float | None) -> None:
    made = error_from_response(429, status("TooManyRequests"), header)
    assert isinstance(made, TransientError)
    assert made.retry_after == seconds


QUOTA = 'pods "web-1" is forbidden: exceeded quota: store, requested: pods=1, used: pods=5, limited: pods=5'


def test_a_quota_is_told_from_other_refusals() -> None:
    full = error_from_response(403, status("Forbidden", QUOTA), None)
    assert isinstance(full, RequestRejected)
    assert full.quota_exceeded
    for code, message in ((403, 'namespaces is forbidden: User "mary" cannot create'), (422, QUOTA)):
        other = error_from_response(code, status("Forbidden", message), None)
        assert isinstance(other, RequestRejected)
        assert not other.quota_exceeded


def test_an_uncalculated_quota_is_transient() -> None:
    message = 'secrets "admin" is forbidden: status unknown for quota: store, resources: count/secrets'
    assert isinstance(error_from_response(403, status("Forbidden", message), None), TransientError)
