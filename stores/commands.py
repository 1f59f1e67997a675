"""What an owner can ask for. Each is a function in the caller's transaction: it never commits.

Locks are taken in one order: idempotency key, account, store, slug, event stream.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.audit import audit
from accounts.errors import CallerError, Code
from accounts.idempotency import remember
from accounts.models import User
from accounts.users import normal_email
from runtime.sealing import Keyring
from stores import countries, progress
from stores.engines import Engine, next_of, setup_of
from stores.events import News, record
from stores.languages import language
from stores.models import AccountStream, SealedSecret, Step, Store
from stores.names import slug_from, slug_problem, store_name
from stores.plans import DEFAULT_PLAN
from stores.quota import Limits, admit
from stores.slugs import free_slug, take_slug
from stores.status import Desired, Status
from stores.steps import new_steps


@dataclass(frozen=True)
class NewStore:
    """What createStore is given. None: a default."""

    name: str
    engine: str
    account_id: UUID | None = None
    slug: str | None = None
    plan: str = DEFAULT_PLAN
    admin_email: str | None = None
    country: str | None = None
    currency: str | None = None
    language: str | None = None
    setup: str | None = None


@dataclass(frozen=True)
class Credentials:
    """How the owner signs in to the store."""

    username: str
    password: str
    pending: str | None
    """The next password, while it isn't known to be in force: it, or the other one, signs in."""


async def create_store(
    session: AsyncSession,
    actor: Actor,
    given: NewStore,
    *,
    engines: Mapping[str, Engine],
    limits: Limits,
    languages: Sequence[str],
    cluster: str,
    own_label: str | None,
    idempotency_key: str | None = None,
) -> Store:
    """A store in REQUESTED, due now; or the one that the same key made before. Raises CallerError."""
    account_id = actor.account(given.account_id)
    actor.must_change(account_id)
    engine = _available(engines, given.engine)
    store = Store(
        id=uuid4(),
        account_id=account_id,
        name=store_name(given.name),
        slug=_wanted_slug(given, own_label),
        engine=engine.name,
        release=engine.releases[-1],
        plan=given.plan,
        admin_email="",
        country=countries.country(given.country or countries.DEFAULT_COUNTRY),
        currency=countries.currency(given.currency or countries.DEFAULT_CURRENCY),
        language=language(given.language, languages),
        setup=setup_of(engine, given.setup),
        cluster=cluster,
        status=Status.REQUESTED,
    )
    if given.admin_email is not None:
        store.admin_email = _admin_email(given.admin_email)
    if idempotency_key is not None:
        again = await remember(session, actor, account_id, "createStore", idempotency_key, asdict(given), store.id)
        if again is not None:
            return await session.get_one(Store, again)
    await admit(session, account_id, limits)
    if not store.admin_email:
        store.admin_email = (await session.get_one(User, actor.user_id)).email
    if given.slug is None:
        store.slug = await free_slug(session, account_id, store.slug, own_label)
    session.add(store)
    await session.flush()
    await take_slug(session, store, given.slug, own_label)
    session.add_all(new_steps(store, engine))
    await session.execute(insert(AccountStream).values(account_id=account_id).on_conflict_do_nothing())
    audit(session, account_id, actor.name, "store.created", f"store:{store.id}", slug=store.slug)
    await record(session, store, [News("STATUS", f"{store.name} was requested.")])
    return store


def _available(engines: Mapping[str, Engine], name: str) -> Engine:
    engine = engines.get(name)
    if engine is None or not engine.available:
        ready = ", ".join(item.name.upper() for item in engines.values() if item.available)
        title = engine.title if engine else name
        raise CallerError(Code.ENGINE_UNAVAILABLE, "engine", f"{title} stores are not available yet. Use {ready}.")
    return engine


def _wanted_slug(given: NewStore, own_label: str | None) -> str:
    if given.slug is None:
        return slug_from(given.name, own_label)
    if problem := slug_problem(given.slug, own_label):
        raise CallerError(Code.INVALID_SLUG, "slug", f"{problem} For example: {slug_from(given.name, own_label)}")
    return given.slug


def _admin_email(email: str) -> str:
    try:
        return normal_email(email)
    except CallerError as error:
        raise CallerError(error.code, "adminEmail", error.message) from None


async def _own(session: AsyncSession, actor: Actor, store_id: UUID | None) -> Store:
    """The actor's store, locked. A foreign one is as good as missing; None stands for an id that is none."""
    store = await session.scalar(
        select(Store).where(Store.id == store_id, Store.account_id.in_(actor.roles)).with_for_update(key_share=True)
    )
    if store is None:
        raise CallerError(Code.NOT_FOUND, "id", "There is no such store.")
    return store


async def _change(
    session: AsyncSession, actor: Actor, store_id: UUID | None, mutation: str, idempotency_key: str | None
) -> tuple[Store, bool]:
    """The actor's store, locked, and whether this is the first call under the key."""
    if idempotency_key is None:
        store = await _own(session, actor, store_id)
        actor.must_change(store.account_id)
        return store, True
    found = await session.execute(
        select(Store.id, Store.account_id).where(Store.id == store_id, Store.account_id.in_(actor.roles))
    )
    row = found.one_or_none()
    if row is None:
        raise CallerError(Code.NOT_FOUND, "id", "There is no such store.")
    actor.must_change(row.account_id)
    again = await remember(session, actor, row.account_id, mutation, idempotency_key, {"id": str(row.id)}, row.id)
    return await _own(session, actor, store_id), again is None


def _wake(store: Store) -> None:
    store.wake = Store.wake + 1  # in the database, so that no increment is lost
    store.due_at = func.now()


async def retry_store(
    session: AsyncSession, actor: Actor, store_id: UUID | None, *, idempotency_key: str | None = None
) -> Store:
    """Let a FAILED store try again from where it failed. Raises CallerError."""
    store, first = await _change(session, actor, store_id, "retryStore", idempotency_key)
    if not first:
        return store
    if store.status != Status.FAILED:
        message = f"Only a store that FAILED can be tried again; this one is {store.status}."
        raise CallerError(Code.WRONG_STATUS, "id", message)
    steps = (await session.scalars(select(Step).where(Step.store_id == store.id).order_by(Step.position))).all()
    news = progress.retry(store, steps)
    store.generation += 1
    _wake(store)
    audit(session, store.account_id, actor.name, "store.retried", f"store:{store.id}")
    await record(session, store, news)
    await session.refresh(store)
    return store


async def delete_store(
    session: AsyncSession, actor: Actor, store_id: UUID | None, *, idempotency_key: str | None = None
) -> Store:
    """Begin to delete it, whatever it is doing; deleting again is no error. Raises CallerError."""
    store, first = await _change(session, actor, store_id, "deleteStore", idempotency_key)
    if not first or store.desired == Desired.DELETED:
        return store
    store.desired = Desired.DELETED
    store.generation += 1
    store.cause = None
    news = progress.move(store, Status.DELETING, "Deleting the store.")
    _wake(store)
    audit(session, store.account_id, actor.name, "store.deleted", f"store:{store.id}", slug=store.slug)
    await record(session, store, news)
    await session.refresh(store)
    return store


async def rotate_admin_password(
    session: AsyncSession,
    actor: Actor,
    store_id: UUID | None,
    engines: Mapping[str, Engine],
    *,
    idempotency_key: str | None = None,
) -> Store:
    """Begin to give the owner's account another password; asking again meanwhile is no error. Raises CallerError."""
    store, first = await _change(session, actor, store_id, "rotateAdminPassword", idempotency_key)
    if not first or store.rotating is not None:
        return store
    engine = engines[store.engine]
    if not engine.rotates:
        message = f"The password of {engine.title} stores can't be changed from here. Change it in the shop."
        raise CallerError(Code.NOT_SUPPORTED, "id", message)
    if store.status != Status.READY:
        message = f"Only the password of a READY store can be changed; this one is {store.status}."
        raise CallerError(Code.WRONG_STATUS, "id", message)
    store.generation += 1
    store.rotating = store.generation
    _wake(store)
    audit(session, store.account_id, actor.name, "credentials.rotated", f"store:{store.id}")
    await record(session, store, [News("NOTICE", "The owner's password is being changed.")])
    await session.refresh(store)
    return store


async def reveal_admin_credentials(
    session: AsyncSession, actor: Actor, store_id: UUID | None, engines: Mapping[str, Engine], keys: Keyring
) -> tuple[Store, Credentials]:
    """Show how the owner signs in, and write down that it was shown. Raises CallerError, SealError."""
    store = await _own(session, actor, store_id)
    actor.must_change(store.account_id)
    engine = engines[store.engine]
    field = engine.shown.name
    sealed = await session.get(SealedSecret, (store.id, field))
    if sealed is None:
        gone = store.desired == Desired.DELETED
        message = "The store is deleted." if gone else "The credentials aren't made yet; ask again in a moment."
        raise CallerError(Code.WRONG_STATUS if gone else Code.NOT_YET, "id", message)
    following = await session.get(SealedSecret, (store.id, next_of(field)))
    found = Credentials(
        username=engine.admin_username,
        password=keys.open(store.id, field, sealed.sealed),
        pending=keys.open(store.id, next_of(field), following.sealed) if following else None,
    )
    audit(session, store.account_id, actor.name, "credentials.revealed", f"store:{store.id}")
    return store, found
