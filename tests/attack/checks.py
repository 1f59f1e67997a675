"""What schemathesis checks of each answer. It runs in an environment of its own.

Its own check takes every answer without data as an error of the server.
"""

from typing import Any

import schemathesis


@schemathesis.check
def errors_are_typed(_context: Any, response: Any, _case: Any) -> None:
    """Each refusal is JSON, and each of its errors has a code; none is an error of the platform itself."""
    if response.status_code >= 500:
        raise AssertionError(f"{response.status_code}: {response.text[:500]}")
    is_json = response.headers.get("content-type", [""])[0].partition(";")[0] == "application/json"
    if response.status_code >= 400 and not is_json:
        raise AssertionError(f"not JSON: {response.text[:500]}")
    for error in response.json().get("errors", ()) if is_json else ():
        code = error.get("code") or error.get("extensions", {}).get("code")
        if code in (None, "INTERNAL"):
            raise AssertionError(f"no code: {error}")
