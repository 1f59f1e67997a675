"""What operators see: all accounts and stores in pages, what fails, what is stuck, and how long steps take."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, cast, exists, extract, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.members import Member
from accounts.models import Account, Membership, User
from runtime.pagination import Page, PageRange, page_of, within
from stores.models import Event, Step, Store
from stores.status import STEADY_STATUSES, Health, Status, StepStatus
from stores.step_durations import SAMPLE
from stores.store_pages import StoreFilter

MAX_CAUSES = 100

CAUSE = func.coalesce(Store.cause, Store.health_cause)
FAILING = or_(
    Store.status == Status.FAILED,
    Store.health != Health.HEALTHY,
    Store.status.in_((Status.SUSPENDED, Status.DELETING)) & Store.cause.is_not(None),
)


@dataclass(frozen=True)
class AccountSummary:
    """An account, how many of its stores count for its quota, and its members by e-mail address."""

    account: Account
    stores: int
    members: Sequence[Member]


@dataclass(frozen=True)
class StoreSummary:
    """`last_event_at`: of stuck stores only."""

    store: Store
    account_name: str
    last_event_at: datetime | None = None


@dataclass(frozen=True)
class FailingCause:
    """How many stores have the cause: FAILED ones, and others."""

    cause: str
    failed: int
    unhealthy: int


@dataclass(frozen=True)
class StepTimes:
    """Milliseconds. `stores`: those whose step succeeded, of the last SAMPLE ones of the engine."""

    name: str
    median_ms: int
    p95_ms: int
    stores: int


@dataclass(frozen=True)
class EngineTimes:
    """From the request to READY, and of each step in order."""

    engine: str
    median_ms: int
    p95_ms: int
    stores: int
    steps: Sequence[StepTimes]


async def all_accounts_page(
    session: AsyncSession, wanted: PageRange, *, search: str = "", suspended: bool | None = None
) -> Page[AccountSummary]:
    """The newest first. `search`: part of the name or of a member's e-mail address. Key: time of creation and id."""
    stores = select(func.count()).where(Store.account_id == Account.id, Store.status != Status.DELETED)
    query = select(Account, stores.scalar_subquery())
    if search:
        member = select(Membership.user_id).join(User, User.id == Membership.user_id)
        member = member.where(Membership.account_id == Account.id, User.email.icontains(search, autoescape=True))
        query = query.where(or_(Account.name.icontains(search, autoescape=True), exists(member)))
    if suspended is not None:
        query = query.where(Account.suspended_at.is_not(None) if suspended else Account.suspended_at.is_(None))
    page = await _page(session, query, [Account.created_at, Account.id], wanted, descending=True)
    members = await _members_of(session, [row[0].id for row in page.rows])
    summaries = [AccountSummary(account, number, members.get(account.id, [])) for account, number in page.rows]
    return replace(page, rows=summaries)


async def account_summary(session: AsyncSession, account_id: UUID) -> AccountSummary:
    """The account must exist."""
    account = await session.get_one(Account, account_id)
    stores = select(func.count()).where(Store.account_id == account_id, Store.status != Status.DELETED)
    members = await _members_of(session, [account_id])
    return AccountSummary(account, await session.scalar(stores) or 0, members.get(account_id, []))


async def _members_of(session: AsyncSession, account_ids: Collection[UUID]) -> Mapping[UUID, list[Member]]:
    found: dict[UUID, list[Member]] = {}
    query = (
        select(Membership.account_id, User.id, User.email, Membership.role, Membership.created_at)
        .join(User, User.id == Membership.user_id)
        .where(Membership.account_id.in_(account_ids))
        .order_by(User.email)
    )
    for row in await session.execute(query):
        found.setdefault(row.account_id, []).append(Member(*row))
    return found


async def all_stores_page(
    session: AsyncSession,
    wanted: PageRange,
    matching: StoreFilter,
    *,
    account_id: UUID | None = None,
    cause: str | None = None,
) -> Page[StoreSummary]:
    """Stores of all accounts, the newest first. `cause`: exactly this one. Key: time of creation and id."""
    query = _stores().where(*matching.conditions())
    if account_id is not None:
        query = query.where(Store.account_id == account_id)
    if cause is not None:
        query = query.where(FAILING, CAUSE.in_((cause,)))
    page = await _page(session, query, [Store.created_at, Store.id], wanted, descending=True)
    return replace(page, rows=[StoreSummary(*row) for row in page.rows])


async def stuck_page(session: AsyncSession, wanted: PageRange, minutes: int) -> Page[StoreSummary]:
    """Stores with something in progress, of which nothing was heard for so long: the longest first.

    Key: time of the last event, or of creation, and id.
    """
    last_event = select(Event.at).where(Event.store_id == Store.id).order_by(Event.seq.desc()).limit(1)
    since = func.coalesce(last_event.scalar_subquery(), Store.created_at)
    query = (
        _stores()
        .add_columns(since)
        .where(Store.status.not_in(STEADY_STATUSES), since < func.now() - timedelta(minutes=minutes))
    )
    page = await _page(session, query, [since, Store.id], wanted, descending=False)
    return replace(page, rows=[StoreSummary(*row) for row in page.rows])


def _stores() -> Select[Store, str]:
    return select(Store, Account.name).join(Account, Account.id == Store.account_id)


async def _page(
    session: AsyncSession, query: Any, key: Sequence[Any], wanted: PageRange, *, descending: bool
) -> Page[Any]:
    rows = (await session.execute(within(query, key, wanted, descending=descending))).all()
    return page_of(rows, wanted, from_the_end=wanted.last)


async def failing_causes(session: AsyncSession) -> Sequence[FailingCause]:
    """Why stores fail or aren't healthy: the MAX_CAUSES causes of the most stores."""
    failed = func.count().filter(Store.status == Status.FAILED)
    total = func.count()
    query = (
        select(CAUSE, failed, total - failed)
        .where(FAILING, CAUSE.is_not(None))
        .group_by(CAUSE)
        .order_by(total.desc(), CAUSE)
        .limit(MAX_CAUSES)
    )
    return [FailingCause(*row) for row in await session.execute(query)]


async def count_by_status(session: AsyncSession) -> Mapping[Status, int]:
    """How many stores have each status; every status, in the order of the enum."""
    rows = await session.execute(select(Store.status, func.count()).group_by(Store.status))
    found = {row[0]: row[1] for row in rows}
    return {status: found.get(status, 0) for status in Status}


async def engine_times(session: AsyncSession, engines: Collection[str]) -> Sequence[EngineTimes]:
    """The times of each engine's last SAMPLE stores that became READY. Engines without such stores are left out."""
    return [found for engine in engines if (found := await _engine_times(session, engine)) is not None]


async def _engine_times(session: AsyncSession, engine: str) -> EngineTimes | None:
    latest = (
        select(Store.id, Store.created_at, Store.ready_at)
        .where(Store.engine == engine, Store.ready_at.is_not(None))
        .order_by(Store.ready_at.desc())
        .limit(SAMPLE)
        .subquery()
    )
    whole = select(*_percentiles(latest.c.ready_at - latest.c.created_at), func.count()).select_from(latest)
    median, p95, number = (await session.execute(whole)).one()
    if not number:
        return None
    steps = (
        select(Step.name, *_percentiles(Step.finished_at - Step.started_at), func.count())
        .join(latest, latest.c.id == Step.store_id)
        .where(Step.status == StepStatus.SUCCEEDED)
        .group_by(Step.name)
        .order_by(func.min(Step.position))
    )
    return EngineTimes(engine, median, p95, number, [StepTimes(*row) for row in await session.execute(steps)])


def _percentiles(duration: Any) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """The median and the 95th percentile, in milliseconds."""
    seconds = extract("epoch", duration)
    median, p95 = (cast(func.percentile_cont(part).within_group(seconds) * 1000, Integer) for part in (0.5, 0.95))
    return median, p95
