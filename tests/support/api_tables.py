"""The tables of docs/API.md, made from the code."""

from collections.abc import Mapping, Sequence

from graphql import build_schema, is_enum_type

from accounts.errors import CODES, REQUEST_CODES
from api import graphql, graphql_stream, http_protocol, middleware, serve, websocket_protocol
from runtime.settings import Settings
from schema import context, document_limits
from schema.build import schema
from schema.types import connections
from stores.events import EVENT_TYPES, RETENTION
from stores.webhooks import commands, deliveries, secrets
from tests.support.schema_changes import deprecations
from workers.webhooks import client


def tables() -> Mapping[str, str]:
    """By the name in the document's comments."""
    return {
        "codes": _table(("code", "meaning"), [(f"`{code.value}`", text) for code, text in CODES.items()]),
        "mutation codes": _table(("mutation", "codes"), _mutation_codes()),
        "request codes": _table(("code", "meaning"), [(f"`{code}`", text) for code, text in REQUEST_CODES.items()]),
        "limits": _table(("what", "limit"), _limits()),
        "webhooks": _table(("what", "value"), _webhooks()),
        "deprecated": _deprecated(),
    }


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _default(name: str) -> str:
    return f"{Settings.model_fields[name].default:,}, `STOREFLEET_{name.upper()}`"


def _limits() -> list[tuple[str, str]]:
    return [
        ("body of a request", f"{middleware.MAX_BODY:,} bytes, {middleware.BODY_SECONDS:g} s (413, 408)"),
        ("headers of a request", f"{http_protocol.MAX_HEAD:,} bytes, {http_protocol.HEAD_SECONDS:g} s (431, 408)"),
        ("tokens of a document", f"{document_limits.MAX_TOKENS:,}"),
        ("selections of a document", f"{document_limits.MAX_SELECTIONS:,}, counted as often as they are spread"),
        ("depth of fields", f"{document_limits.MAX_DEPTH}"),
        ("aliases of a document", f"{document_limits.MAX_ALIASES}"),
        ("items of a page", f"{connections.MAX_PAGE}"),
        ("mutations of a user at the same time", f"{context.MUTATIONS_PER_USER}; more of them wait"),
        ("operations of a WebSocket", f"{graphql.MAX_OPERATIONS_PER_SOCKET}"),
        (
            "a WebSocket's messages",
            f"{websocket_protocol.MESSAGES_PER_SECOND:g} a second, {serve.MAX_WEBSOCKET_MESSAGE:,} bytes",
        ),
        ("an event stream's reader", f"cut off after {graphql_stream.SLOW_SECONDS:g} s in which it reads nothing"),
        ("WebSockets and event streams of an address", f"{_default('max_websockets_per_address')} (429)"),
        ("stores of an account", _default("store_quota")),
        ("creations of stores in an hour", _default("creations_per_hour")),
        ("webhooks of an account", f"{commands.MAX_WEBHOOKS}"),
        ("events are kept for", f"{RETENTION.days} days"),
    ]


def _webhooks() -> list[tuple[str, str]]:
    types = [deliveries.message_type(name) for name in EVENT_TYPES]
    return [
        ("`type` of events", ", ".join(f"`{name}`" for name in types)),
        ("`type` of a test", f"`{deliveries.TEST_TYPE}`"),
        ("URL", "`https`, with a public address"),
        ("an answer", f"within {client.ATTEMPT_SECONDS:g} s; redirects are not followed, the body is not read"),
        (
            "the next attempt",
            f"after {deliveries.BACKOFF_SECONDS:g} s, twice as long after each failure, at most "
            f"{deliveries.MAX_BACKOFF_SECONDS / 60:g} min; ± 20 %",
        ),
        (
            "DISABLED after",
            f"{deliveries.PATIENCE.total_seconds() / 3600:g} h of failures, or an answer {deliveries.GONE}",
        ),
        ("log of attempts", f"{deliveries.RETENTION.days} days"),
        (
            "secrets",
            f"`{secrets.PREFIX}…`; after `rotateWebhookSecret` both sign for up to {commands.MAX_OVERLAP_HOURS} h",
        ),
    ]


def _mutation_codes() -> list[tuple[str, str]]:
    built = build_schema(schema.as_str())
    mutations = built.mutation_type.fields if built.mutation_type else {}
    codes = {name: built.type_map[f"{name[0].upper()}{name[1:]}ErrorCode"] for name in mutations}
    return [
        (f"`{name}`", ", ".join(f"`{code}`" for code in kind.values))
        for name, kind in codes.items()
        if is_enum_type(kind)
    ]


def _deprecated() -> str:
    rows = [(f"`{name}`", reason) for name, reason in deprecations(build_schema(schema.as_str())).items()]
    return _table(("deprecated", "use instead"), rows) if rows else "Nothing is deprecated now.\n"
