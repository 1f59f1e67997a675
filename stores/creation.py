"""Creates stores. Parallel creations of an account wait for the lock on its row, so they hold it for few statements.

docs/decisions/0020-short-create-transaction.md says which statements, and why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.errors import CallerError, Code
from accounts.idempotency import claim_idempotency_key
from accounts.models import User
from accounts.operators import refuse_suspended
from stores import countries
from stores.admin_emails import normalize_admin_email
from stores.engines import Engine, choose_setup
from stores.events import last_seq
from stores.insertion import insert_store
from stores.languages import choose_language
from stores.models import Store
from stores.names import check_slug, normalize_store_name, slugify
from stores.plans import DEFAULT_PLAN
from stores.queries import StoreWithCursor
from stores.quota import Limits, Usage, check_limits, lock_account, usage
from stores.slugs import candidates, first_free, held_slugs, slug_error
from stores.status import Status
from stores.texts import text


@dataclass(frozen=True)
class NewStore:
    """The input of createStore. None: the default."""

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


async def create_store(
    session: AsyncSession,
    actor: Actor,
    new: NewStore,
    *,
    engines: Mapping[str, Engine],
    limits: Limits,
    languages: Sequence[str],
    cluster: str,
    platform_label: str | None,
    idempotency_key: str | None = None,
) -> StoreWithCursor:
    """Create a store, REQUESTED and due now; or return the one that the same key created before. Raises CallerError.

    Call it once in a transaction, and commit at once: it locks the account.
    """
    account_id = actor.resolve_account(new.account_id)
    engine = _find_engine(engines, new.engine)
    store = Store(
        id=uuid4(),
        account_id=account_id,
        name=normalize_store_name(new.name),
        slug=_wanted_slug(new, platform_label),
        engine=engine.name,
        release=engine.releases[-1],
        plan=new.plan,
        admin_email=None if new.admin_email is None else normalize_admin_email(new.admin_email),
        country=countries.validate_country(new.country or countries.DEFAULT_COUNTRY),
        currency=countries.validate_currency(new.currency or countries.DEFAULT_CURRENCY),
        language=choose_language(new.language, languages),
        setup=choose_setup(engine, new.setup),
        cluster=cluster,
        status=Status.REQUESTED,
    )
    if idempotency_key is not None:
        replayed = await claim_idempotency_key(
            session, account_id, "createStore", idempotency_key, asdict(replace(new, account_id=None)), store.id
        )
        if replayed is not None:
            return StoreWithCursor(await session.get_one(Store, replayed), await last_seq(session, account_id))
    slugs = candidates(store.slug)
    account = await lock_account(session, account_id)
    refuse_suspended(account)
    # a separate statement: the one that waited for the lock doesn't see what was committed meanwhile
    query = usage(account_id).add_columns(
        held_slugs(account_id, slugs), select(User.email).where(User.id == actor.user_id).scalar_subquery()
    )
    *used, held, user_email = (await session.execute(query)).one()
    check_limits(account, limits, Usage(*used))
    store.admin_email = store.admin_email or normalize_admin_email(user_email)
    while True:
        if new.slug is None:
            store.slug = first_free(slugs, held, platform_label)
        created = await insert_store(
            session, store, engine, actor.name, "store.created", text("event.requested", name=store.name)
        )
        if created is not None:
            return created
        if new.slug is not None:
            raise await slug_error(session, account_id, new.slug, platform_label)
        held = [*held, store.slug]  # another account's store has just taken it


def _find_engine(engines: Mapping[str, Engine], name: str) -> Engine:
    engine = engines.get(name)
    if engine is None or not engine.available:
        ready = ", ".join(item.name.upper() for item in engines.values() if item.available)
        title = engine.title if engine else name
        raise CallerError(Code.ENGINE_UNAVAILABLE, "engine", f"{title} stores are not available yet. Use {ready}.")
    return engine


def _wanted_slug(new: NewStore, platform_label: str | None) -> str:
    if new.slug is None:
        return slugify(new.name, platform_label)
    check_slug(new.slug, platform_label, f" For example: {slugify(new.name, platform_label)}")
    return new.slug
