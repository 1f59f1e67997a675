"""The table of moves: what it must hold by itself. That the database has the same is tests/flow's to show."""

import pytest

from stores.models import Store
from stores.progress import move
from stores.status import FAILABLE, MOVES, Status


def test_every_status_has_its_row() -> None:
    assert set(MOVES) == set(Status)


def test_deleting_wins_from_anywhere_and_leads_to_the_end() -> None:
    for status in set(Status) - {Status.DELETING, Status.DELETED}:
        assert Status.DELETING in MOVES[status]
    assert MOVES[Status.DELETING] == {Status.DELETED}
    assert MOVES[Status.DELETED] == set()


def test_a_retry_leads_back_to_where_it_failed() -> None:
    assert {status for status in Status if Status.FAILED in MOVES[status]} == set(FAILABLE)
    assert MOVES[Status.FAILED] - {Status.DELETING} == set(FAILABLE)


def test_nobody_stays_where_they_are() -> None:
    assert not [status for status in Status if status in MOVES[status]]


@pytest.mark.parametrize("status", Status)
def test_every_status_can_be_reached_and_the_end_from_all(status: Status) -> None:
    reached = {Status.REQUESTED}
    for _ in Status:
        reached |= {to for place in reached for to in MOVES[place]}
    assert status in reached
    onward = {status}
    for _ in Status:
        onward |= {to for place in onward for to in MOVES[place]}
    assert Status.DELETED in onward


@pytest.mark.parametrize("status", Status)
def test_only_moves_of_the_table_are_made(status: Status) -> None:
    for to in Status:
        store = Store(status=status, trouble="a crash", failed_in=None)
        if to in MOVES[status]:
            [news] = move(store, to, "Going on.")
            assert (store.status, store.trouble, news.message) == (to, None, "Going on.")
            assert store.failed_in == (status if to == Status.FAILED else None)
        else:
            with pytest.raises(ValueError, match=f"from {status} to {to}$"):
                move(store, to, "Going on.")
            assert store.status == status
