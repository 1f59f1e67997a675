"""Taking back a store whose namespace is there and whose row isn't: the database was restored from an old backup."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.audit import audit
from accounts.errors import CallerError, Code
from accounts.models import Account, Membership, User
from accounts.users import normal_email
from stores import countries
from stores.engines import Engine, setup_of
from stores.events import News, record
from stores.languages import spoken
from stores.models import AccountStream, SealedSecret, Store
from stores.names import slug_problem, store_name
from stores.slugs import take_slug
from stores.status import Status
from stores.steps import new_steps


@dataclass(frozen=True)
class Found:
    """What a namespace says of its store."""

    store_id: UUID
    account_id: UUID
    namespace_uid: str
    created_at: datetime
    description: Mapping[str, str]
    """name, slug, engine, release, plan, adminEmail, country, currency, language, setup."""


async def adopt(
    session: AsyncSession,
    found: Found,
    sealed: Mapping[str, str],
    *,
    engine: Engine,
    cluster: str,
    own_label: str | None,
    owner: str | None,
) -> Store:
    """The row, in REQUESTED and due now: the next passes verify, install over what is there, and prove it.

    `owner`: the e-mail address of the user who gets the account when that isn't there either. Raises CallerError.
    """
    there = await session.get(Store, found.store_id)
    if there is not None:
        message = f"The store is known: {there.name} ({there.slug}), {there.status}."
        raise CallerError(Code.WRONG_STATUS, "namespace", message)
    told = found.description
    if problem := slug_problem(told["slug"], own_label):
        raise CallerError(Code.INVALID_SLUG, "slug", problem)
    await _account(session, found.account_id, owner)
    store = Store(
        id=found.store_id,
        account_id=found.account_id,
        name=store_name(told["name"]),
        slug=told["slug"],
        engine=engine.name,
        release=told["release"],
        plan=told["plan"],
        admin_email=normal_email(told["adminEmail"]),
        country=countries.country(told["country"]),
        currency=countries.currency(told["currency"]),
        language=spoken(told["language"]),
        setup=setup_of(engine, told["setup"]),
        cluster=cluster,
        status=Status.REQUESTED,
        created_at=found.created_at,
        # a store that was READY has data: its namespace and its disks are never made again, empty
        ready_at=found.created_at,
        namespace_uid=found.namespace_uid,
    )
    session.add(store)
    await session.flush()
    await take_slug(session, store, store.slug, own_label)
    session.add_all(new_steps(store, engine))
    session.add_all(SealedSecret(store_id=store.id, field=field, sealed=seal) for field, seal in sealed.items())
    await session.execute(insert(AccountStream).values(account_id=store.account_id).on_conflict_do_nothing())
    audit(session, store.account_id, "operator", "store.adopted", f"store:{store.id}", slug=store.slug)
    await record(session, store, [News("STATUS", f"{store.name} was taken back from the cluster.")])
    return store


async def _account(session: AsyncSession, account_id: UUID, owner: str | None) -> None:
    """Make sure that it is there: labels of a namespace are never changed, so it keeps its id."""
    if await session.scalar(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True)):
        return
    if owner is None:
        message = "The store's account isn't in the database either. Name who is to own it: --owner EMAIL."
        raise CallerError(Code.NOT_FOUND, "owner", message)
    user = await session.scalar(select(User).where(User.email == owner.lower()))
    if user is None:
        raise CallerError(Code.NOT_FOUND, "owner", f"There is no user {owner}. Make one: storefleet users add {owner}")
    session.add(Account(id=account_id, name=f"{user.email.partition('@')[0]}'s stores, taken back"))
    await session.flush()
    session.add(Membership(account_id=account_id, user_id=user.id, role="owner"))
