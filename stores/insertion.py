"""Inserts a store and everything that a new store has, in one statement: its transaction locks the account."""

from dataclasses import fields
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, bindparam, cast, func, literal, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.sql.expression import Select

from accounts.audit import Origin, origin_columns
from accounts.models import AuditEntry
from runtime.changefeed import CHANNEL
from stores.engines import Engine, StoreSpec
from stores.models import Event, Step, Store
from stores.queries import StoreWithCursor
from stores.slugs import assign_slug
from stores.steps import step_names

COLUMNS = [
    *(field.name for field in fields(StoreSpec) if field.name != "store_id"),
    *("id", "engine", "cluster", "status", "created_at", "ready_at", "namespace_uid"),
]
"""The columns of a new or adopted store: all that its manifests depend on, and others. The rest have their defaults."""
AUDIT_COLUMNS = ("actor", "action", "subject", "detail", *(field.name for field in fields(Origin)))


async def insert_store(
    session: AsyncSession, store: Store, engine: Engine, actor: str, action: str, message: str
) -> StoreWithCursor | None:
    """Insert a store with its slug, steps, audit entry and first event, and notify listeners.

    `store` has the values of COLUMNS and isn't added to the session; the account must have its event stream. Returns
    None, and inserts nothing, if another store holds the slug. Waits for a parallel transaction that takes the slug.
    """
    parameters = {f"store_{name}": getattr(store, name) for name in COLUMNS}
    parameters |= {"actor": actor, "action": action, "subject": f"store:{store.id}", "detail": {"slug": store.slug}}
    parameters |= origin_columns(session)
    parameters |= {"message": message, "step_names": step_names(engine)}
    row = (await session.execute(INSERT, parameters)).one_or_none()
    return StoreWithCursor(row[0], row[1]) if row is not None else None


def _build() -> Select[Store, int]:
    values: dict[str, ColumnElement[Any]] = {
        name: bindparam(f"store_{name}", type_=Store.__table__.columns[name].type) for name in COLUMNS
    }
    slug = assign_slug(values["slug"], values["account_id"], values["id"]).cte("slug")
    values["created_at"] = func.coalesce(values["created_at"], func.now())
    created = (
        insert(Store)
        .from_select(COLUMNS, select(*values.values()).select_from(slug), include_defaults=False)
        .returning(*Store.__table__.columns)
        .cte("created")
    )
    unnested = func.unnest(bindparam("step_names", type_=ARRAY(Text)))
    names = unnested.table_valued("name", with_ordinality="position").render_derived(name="names")
    steps = insert(Step).from_select(
        ["store_id", "position", "name"],
        select(created.c.id, names.c.position, names.c.name).select_from(created.join(names, true())),
        include_defaults=False,
    )
    entry = {name: bindparam(name, type_=AuditEntry.__table__.c[name].type) for name in AUDIT_COLUMNS}
    audit = insert(AuditEntry).from_select(
        ["account_id", *entry], select(created.c.account_id, *entry.values()), include_defaults=False
    )
    event = (
        insert(Event)
        .from_select(
            ["account_id", "store_id", "type", "status", "message"],
            select(
                created.c.account_id,
                created.c.id,
                literal("STATUS"),
                created.c.status,
                bindparam("message", type_=Text()),
            ),
            include_defaults=False,
        )
        .returning(Event.seq)
        .cte("event")
    )
    return (
        select(aliased(Store, created), event.c.seq, func.pg_notify(CHANNEL, cast(created.c.account_id, Text)))
        .select_from(created.join(event, true()))
        .add_cte(steps.cte("steps"), audit.cte("audit"))
    )


INSERT = _build()
"""Built once: building it costs as much as running it."""
