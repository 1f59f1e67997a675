"""The commands of owners, on their stores. Each is a function in the caller's transaction: it never commits.

The caller has checked the actor's role and scope (accounts/access.py). A command finds only stores of the actor's
accounts.

Locks are taken in one order: idempotency key, account, store, slug, event stream.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.audit import audit
from accounts.errors import CallerError, Code
from accounts.idempotency import claim_idempotency_key
from accounts.models import Account
from accounts.operators import refuse_suspended
from runtime.sealing import Keyring
from stores import transitions
from stores.engines import Engine, pending_field, require_engine
from stores.events import EventDraft, append_events, last_seq
from stores.models import SealedSecret, Step, Store
from stores.plans import PLANS
from stores.queries import StoreWithCursor
from stores.status import Desired, Status
from stores.texts import text


@dataclass(frozen=True)
class AdminCredentials:
    """The store's admin account."""

    username: str
    password: str
    pending: str | None
    """The next password during a rotation: either of the two passwords may be the valid one."""


async def _lock_own_store(session: AsyncSession, actor: Actor, store_id: UUID | None) -> Store:
    """The actor's store, locked. Raises CallerError NOT_FOUND; `store_id` None: a malformed id."""
    store = await session.scalar(
        select(Store).where(Store.id == store_id, Store.account_id.in_(actor.roles)).with_for_update(key_share=True)
    )
    if store is None:
        raise CallerError(Code.NOT_FOUND, "id", "There is no such store.")
    return store


async def _begin_change(
    session: AsyncSession,
    actor: Actor,
    store_id: UUID | None,
    mutation: str,
    idempotency_key: str | None,
    **arguments: str,
) -> tuple[Store, bool]:
    """The actor's store, locked, and whether this is the first call with the idempotency key.

    `arguments`: the mutation's other arguments; with the same key they must be the same.
    """
    if idempotency_key is None:
        store = await _lock_own_store(session, actor, store_id)
        return store, True
    found = await session.execute(
        select(Store.id, Store.account_id).where(Store.id == store_id, Store.account_id.in_(actor.roles))
    )
    row = found.one_or_none()
    if row is None:
        raise CallerError(Code.NOT_FOUND, "id", "There is no such store.")
    replayed = await claim_idempotency_key(
        session, row.account_id, mutation, idempotency_key, {"id": str(row.id), **arguments}, row.id
    )
    return await _lock_own_store(session, actor, store_id), replayed is None


async def _refuse_suspended(session: AsyncSession, store: Store) -> None:
    """For what would start pods. Raises CallerError ACCOUNT_SUSPENDED.

    Without a lock: what begins at the moment of the suspension is suspended when it has ended.
    """
    refuse_suspended(await session.get_one(Account, store.account_id))


def _requeue(store: Store) -> None:
    store.requeues = Store.requeues + 1  # in the database, so that no increment is lost
    store.due_at = func.now()


async def _written(session: AsyncSession, store: Store, drafts: Sequence[EventDraft]) -> StoreWithCursor:
    """Write the change, then its events: their statement locks the account's stream, so it is the last one."""
    await session.flush()
    await session.refresh(store)
    return StoreWithCursor(store, await append_events(session, store, drafts))


async def _unchanged(session: AsyncSession, store: Store) -> StoreWithCursor:
    return StoreWithCursor(store, await last_seq(session, store.account_id))


async def retry_store(
    session: AsyncSession, actor: Actor, store_id: UUID | None, *, idempotency_key: str | None = None
) -> StoreWithCursor:
    """Start another attempt of a FAILED store. Raises CallerError."""
    store, first = await _begin_change(session, actor, store_id, "retryStore", idempotency_key)
    if not first:
        return await _unchanged(session, store)
    if store.status != Status.FAILED:
        message = f"Only a store that FAILED can be tried again; this one is {store.status}."
        raise CallerError(Code.WRONG_STATUS, "id", message)
    if store.failed_in != Status.SUSPENDING:
        await _refuse_suspended(session, store)
    steps = (await session.scalars(select(Step).where(Step.store_id == store.id).order_by(Step.position))).all()
    drafts = transitions.begin_retry(store, steps)
    store.generation += 1
    _requeue(store)
    audit(session, store.account_id, actor.name, "store.retried", f"store:{store.id}")
    return await _written(session, store, drafts)


async def change_plan(
    session: AsyncSession, actor: Actor, store_id: UUID | None, plan: str, *, idempotency_key: str | None = None
) -> StoreWithCursor:
    """Give a READY store another plan: it becomes UPDATING, and READY by another proof. A FAILED store is tried again
    with the plan. With the plan that it has nothing changes. Raises CallerError.
    """
    store, first = await _begin_change(session, actor, store_id, "changePlan", idempotency_key, plan=plan)
    if not first or store.plan == plan:
        return await _unchanged(session, store)
    await _refuse_suspended(session, store)
    if store.status not in (Status.READY, Status.FAILED):
        message = f"Only the plan of a READY or FAILED store can be changed; this one is {store.status}."
        raise CallerError(Code.WRONG_STATUS, "id", message)
    if store.rotating is not None:
        message = "The admin password is being changed. Change the plan when that has ended."
        raise CallerError(Code.NOT_YET, "id", message)
    # a failed update may go back to what was proven: volumes that have grown keep their size
    goes_back = store.failed_in == Status.UPDATING and plan == (store.receipt or {}).get("plan")
    if PLANS[plan].shrinks_disks_of(PLANS[store.plan]) and not goes_back:
        message = f"A disk can't shrink, and those of {PLANS[plan].title} are smaller. Choose a plan with larger ones."
        raise CallerError(Code.DISK_TOO_SMALL, "plan", message)
    steps = (await session.scalars(select(Step).where(Step.store_id == store.id).order_by(Step.position))).all()
    store.plan = plan
    store.generation += 1
    if store.status == Status.FAILED:
        drafts = transitions.begin_retry(store, steps)
    else:
        drafts = transitions.begin_update(store, steps, text("event.changing_plan", plan=PLANS[plan].title))
    _requeue(store)
    audit(session, store.account_id, actor.name, "store.plan_changed", f"store:{store.id}", plan=plan)
    return await _written(session, store, drafts)


async def delete_store(
    session: AsyncSession, actor: Actor, store_id: UUID | None, *, idempotency_key: str | None = None
) -> StoreWithCursor:
    """Start the deletion, from any status; for a DELETING store nothing changes. Raises CallerError."""
    store, first = await _begin_change(session, actor, store_id, "deleteStore", idempotency_key)
    if not first or store.desired == Desired.DELETED:
        return await _unchanged(session, store)
    store.desired = Desired.DELETED
    store.generation += 1
    drafts = transitions.begin_deletion(store)
    _requeue(store)
    audit(session, store.account_id, actor.name, "store.deleted", f"store:{store.id}", slug=store.slug)
    return await _written(session, store, drafts)


async def suspend_store(
    session: AsyncSession, actor: Actor, store_id: UUID | None, *, idempotency_key: str | None = None
) -> StoreWithCursor:
    """Start to suspend a READY store; for a SUSPENDING or SUSPENDED store nothing changes. Raises CallerError."""
    store, first = await _begin_change(session, actor, store_id, "suspendStore", idempotency_key)
    if not first or store.status in (Status.SUSPENDING, Status.SUSPENDED):
        if first and store.suspended_by_account:  # now it stays suspended when the account resumes
            store.suspended_by_account = False
            audit(session, store.account_id, actor.name, "store.suspended", f"store:{store.id}")
        return await _unchanged(session, store)
    in_progress = (Status.REQUESTED, Status.PROVISIONING, Status.UPDATING, Status.RESUMING)
    _require_status(store, Status.READY, "suspended", in_progress)
    if store.rotating is not None:
        message = "The admin password is being changed. Suspend the store when that has ended."
        raise CallerError(Code.NOT_YET, "id", message)
    store.desired = Desired.SUSPENDED
    store.generation += 1
    drafts = transitions.begin_suspension(store)
    _requeue(store)
    audit(session, store.account_id, actor.name, "store.suspended", f"store:{store.id}")
    return await _written(session, store, drafts)


async def resume_store(
    session: AsyncSession, actor: Actor, store_id: UUID | None, *, idempotency_key: str | None = None
) -> StoreWithCursor:
    """Start to resume a SUSPENDED store; for a RESUMING or READY store nothing changes. Raises CallerError."""
    store, first = await _begin_change(session, actor, store_id, "resumeStore", idempotency_key)
    if not first or store.status in (Status.RESUMING, Status.READY):
        return await _unchanged(session, store)
    await _refuse_suspended(session, store)
    _require_status(store, Status.SUSPENDED, "resumed", (Status.SUSPENDING,))
    steps = (await session.scalars(select(Step).where(Step.store_id == store.id).order_by(Step.position))).all()
    store.desired = Desired.RUNNING
    store.generation += 1
    drafts = transitions.begin_resumption(store, steps)
    _requeue(store)
    audit(session, store.account_id, actor.name, "store.resumed", f"store:{store.id}")
    return await _written(session, store, drafts)


def _require_status(store: Store, required: Status, change: str, in_progress: Sequence[Status]) -> None:
    """Raises CallerError WRONG_STATUS, with advice. `in_progress`: the statuses that lead to the required one."""
    if store.status == required:
        return
    advice = ""
    if store.status in in_progress:
        advice = f" Wait until it is {required}."
    elif store.status == Status.FAILED:
        advice = " Retry it first."
    message = f"Only a {required} store can be {change}; this one is {store.status}.{advice}"
    raise CallerError(Code.WRONG_STATUS, "id", message)


async def rotate_admin_password(
    session: AsyncSession,
    actor: Actor,
    store_id: UUID | None,
    engines: Mapping[str, Engine],
    *,
    idempotency_key: str | None = None,
) -> StoreWithCursor:
    """Start a rotation of the admin password; nothing changes while one is in progress. Raises CallerError."""
    store, first = await _begin_change(session, actor, store_id, "rotateAdminPassword", idempotency_key)
    if not first or store.rotating is not None:
        return await _unchanged(session, store)
    await _refuse_suspended(session, store)
    engine = require_engine(engines, store.engine)
    if not engine.rotates:
        message = f"The password of {engine.title} stores can't be changed from here. Change it in the shop."
        raise CallerError(Code.NOT_SUPPORTED, "id", message)
    if store.status != Status.READY:
        message = f"Only the password of a READY store can be changed; this one is {store.status}."
        raise CallerError(Code.WRONG_STATUS, "id", message)
    store.generation += 1
    store.rotating = store.generation
    _requeue(store)
    audit(session, store.account_id, actor.name, "credentials.rotated", f"store:{store.id}")
    return await _written(session, store, [EventDraft("NOTICE", text("event.changing_password"))])


async def reveal_admin_credentials(
    session: AsyncSession, actor: Actor, store_id: UUID | None, engines: Mapping[str, Engine], keys: Keyring
) -> tuple[Store, AdminCredentials]:
    """Decrypt the admin credentials, and log that in the audit log. Raises CallerError, SealError."""
    store = await _lock_own_store(session, actor, store_id)
    engine = require_engine(engines, store.engine)
    field = engine.admin_password_field.name
    sealed = await session.get(SealedSecret, (store.id, field))
    if sealed is None:
        gone = store.desired == Desired.DELETED
        message = "The store is deleted." if gone else "The credentials aren't made yet; ask again in a moment."
        raise CallerError(Code.WRONG_STATUS if gone else Code.NOT_YET, "id", message)
    following = await session.get(SealedSecret, (store.id, pending_field(field)))
    found = AdminCredentials(
        username=engine.admin_username or store.admin_email,
        password=keys.unseal(store.id, field, sealed.sealed),
        pending=keys.unseal(store.id, pending_field(field), following.sealed) if following else None,
    )
    audit(session, store.account_id, actor.name, "credentials.revealed", f"store:{store.id}")
    return store, found
