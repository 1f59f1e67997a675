"""An answer of the API becomes the error that says what to do."""

import json

import pytest

from workers.cluster.errors import AlreadyExists, ClusterError, Gone, NotFound, Refused, Temporary, from_answer


def status(reason: str, message: str = "no") -> str:
    return json.dumps({"kind": "Status", "status": "Failure", "reason": reason, "message": message})


ANSWERS: list[tuple[int, str, type[ClusterError]]] = [
    (400, "BadRequest", Refused),
    (401, "Unauthorized", Temporary),
    (403, "Forbidden", Refused),
    (404, "NotFound", NotFound),
    (405, "MethodNotAllowed", Refused),
    (408, "Timeout", Temporary),
    (409, "AlreadyExists", AlreadyExists),
    (409, "Conflict", Temporary),
    (410, "Expired", Gone),
    (413, "RequestEntityTooLarge", Refused),
    (415, "UnsupportedMediaType", Refused),
    (422, "Invalid", Refused),
    (429, "TooManyRequests", Temporary),
    (500, "InternalError", Temporary),
    (502, "", Temporary),
    (503, "ServiceUnavailable", Temporary),
    (504, "Timeout", Temporary),
]


@pytest.mark.parametrize(("code", "reason", "error"), ANSWERS)
def test_the_type_says_what_to_do(code: int, reason: str, error: type[ClusterError]) -> None:
    made = from_answer(code, status(reason, "because"), None)
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
    made = from_answer(503, body, None)
    assert isinstance(made, Temporary)
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
    made = from_answer(429, status("TooManyRequests"), header)
    assert isinstance(made, Temporary)
    assert made.retry_after == seconds


QUOTA = 'pods "web-1" is forbidden: exceeded quota: store, requested: pods=1, used: pods=5, limited: pods=5'


def test_a_quota_is_told_from_other_refusals() -> None:
    full = from_answer(403, status("Forbidden", QUOTA), None)
    assert isinstance(full, Refused)
    assert full.quota
    for code, message in ((403, 'namespaces is forbidden: User "mary" cannot create'), (422, QUOTA)):
        other = from_answer(code, status("Forbidden", message), None)
        assert isinstance(other, Refused)
        assert not other.quota


def test_a_quota_that_nobody_has_counted_yet_passes() -> None:
    message = 'secrets "admin" is forbidden: status unknown for quota: store, resources: count/secrets'
    assert isinstance(from_answer(403, status("Forbidden", message), None), Temporary)
