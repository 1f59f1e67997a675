"""Adopts a namespace: of a store without a row (an old database was restored), or one that a backup restored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.audit import audit
from accounts.errors import CallerError, Code
from accounts.models import Account, Membership, User
from stores import countries, transitions
from stores.admin_emails import normalize_admin_email
from stores.engines import Engine, choose_setup
from stores.events import append_events
from stores.insertion import insert_store
from stores.languages import validate_language
from stores.leases import requeue
from stores.models import SealedSecret, Step, Store
from stores.names import check_slug, normalize_store_name
from stores.plans import PLANS
from stores.quota import lock_account
from stores.slugs import slug_error
from stores.status import Desired, Status
from stores.texts import text


@dataclass(frozen=True)
class DiscoveredStore:
    """A store as its namespace describes it."""

    store_id: UUID
    account_id: UUID
    namespace_uid: str
    created_at: datetime
    description: Mapping[str, str]
    """The values of its ConfigMap by name: see workers/engines/description.py."""


def row_of(discovered: DiscoveredStore, engines: Mapping[str, Engine], cluster: str) -> Store:
    """The store's row, REQUESTED and due now; not yet added to a session. Raises CallerError."""
    description = discovered.description
    engine = engines.get(description["engine"])
    if engine is None or description["release"] not in engine.releases or description["plan"] not in PLANS:
        what = f"{description['engine'] or 'such store'} {description['release']} of the plan {description['plan']!r}"
        raise CallerError(Code.ENGINE_UNAVAILABLE, None, f"this version doesn't have {what}")
    return Store(
        id=discovered.store_id,
        account_id=discovered.account_id,
        name=normalize_store_name(description["name"]),
        slug=description["slug"],
        engine=engine.name,
        release=description["release"],
        plan=description["plan"],
        admin_email=normalize_admin_email(description["adminEmail"]),
        country=countries.validate_country(description["country"]),
        currency=countries.validate_currency(description["currency"]),
        language=validate_language(description["language"]),
        setup=choose_setup(engine, description["setup"]),
        cluster=cluster,
        status=Status.REQUESTED,
        created_at=discovered.created_at,
        # assume that it was READY and has data: its namespace and disks are never recreated empty
        ready_at=discovered.created_at,
        namespace_uid=discovered.namespace_uid,
    )


async def adopt(
    session: AsyncSession,
    store: Store,
    sealed: Mapping[str, str],
    *,
    engine: Engine,
    platform_label: str | None,
    owner: str | None,
) -> bool:
    """Add the row: the next passes verify the namespace, apply everything and prove the store. False: there is a row,
    and its namespace had another UID. The row keeps all its values, and takes the namespace.

    `sealed`: the encrypted secrets by field. `owner`: e-mail address of the user who gets the account when the account
    is missing too. Raises CallerError.
    """
    known = await session.scalar(select(Store).where(Store.id == store.id).with_for_update(key_share=True))
    if known is not None:
        await _adopt_restored(session, known, store.namespace_uid or "")
        return False
    check_slug(store.slug, platform_label)
    await _ensure_account(session, store.account_id, owner)
    await lock_account(session, store.account_id)
    message = text("event.adopted", name=store.name)
    if await insert_store(session, store, engine, "operator", "store.adopted", message) is None:
        raise await slug_error(session, store.account_id, store.slug, platform_label)
    session.add_all(SealedSecret(store_id=store.id, field=field, sealed=value) for field, value in sealed.items())
    return True


async def _adopt_restored(session: AsyncSession, store: Store, uid: str) -> None:
    """Raises CallerError if the row has this namespace already, or is being deleted."""
    if store.namespace_uid == uid or store.desired == Desired.DELETED:
        message = f"The store is known: {store.name} ({store.slug}), {store.status}."
        raise CallerError(Code.WRONG_STATUS, "namespace", message)
    steps = (await session.scalars(select(Step).where(Step.store_id == store.id).order_by(Step.position))).all()
    drafts = transitions.adopt_namespace(store, steps, uid)
    # a running pass has verified the namespace before: its lease ends
    store.lease_epoch, store.lease_holder, store.lease_until = Store.lease_epoch + 1, None, None
    audit(session, store.account_id, "operator", "store.adopted", f"store:{store.id}", slug=store.slug)
    await session.flush()
    await requeue(session, [store.id], reapply=True)
    await session.refresh(store)
    await append_events(session, store, drafts)


async def _ensure_account(session: AsyncSession, account_id: UUID, owner: str | None) -> None:
    """Create the account if it is missing, under the id in the namespace's labels: these are never changed."""
    if await session.get(Account, account_id):
        return
    if owner is None:
        message = "The store's account isn't in the database either. Name its new owner: --owner EMAIL."
        raise CallerError(Code.NOT_FOUND, "owner", message)
    user = await session.scalar(select(User).where(User.email == owner.lower()))
    if user is None:
        raise CallerError(Code.NOT_FOUND, "owner", f"There is no user {owner}. Add one: storefleet users add {owner}")
    session.add(Account(id=account_id, name=f"{user.email.partition('@')[0]}'s stores, taken back"))
    await session.flush()
    session.add(Membership(account_id=account_id, user_id=user.id, role="owner"))
