"""The table of transitions. tests/flow checks that the database has the same one."""

import pytest

from stores.models import Store
from stores.status import FAILABLE, TRANSITIONS, Status
from stores.transitions import transition


def test_every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(Status)


def test_deleting_wins_from_anywhere_and_leads_to_the_end() -> None:
    for status in set(Status) - {Status.DELETING, Status.DELETED}:
        assert Status.DELETING in TRANSITIONS[status]
    assert TRANSITIONS[Status.DELETING] == {Status.DELETED}
    assert TRANSITIONS[Status.DELETED] == set()


def test_a_retry_leads_back_to_where_it_failed() -> None:
    assert {status for status in Status if Status.FAILED in TRANSITIONS[status]} == set(FAILABLE)
    assert TRANSITIONS[Status.FAILED] - {Status.DELETING} == set(FAILABLE)


def test_no_status_leads_to_itself() -> None:
    assert not [status for status in Status if status in TRANSITIONS[status]]


@pytest.mark.parametrize("status", Status)
def test_every_status_can_be_reached_and_the_end_from_all(status: Status) -> None:
    reached = {Status.REQUESTED}
    for _ in Status:
        reached |= {to for status_ in reached for to in TRANSITIONS[status_]}
    assert status in reached
    onward = {status}
    for _ in Status:
        onward |= {to for status_ in onward for to in TRANSITIONS[status_]}
    assert Status.DELETED in onward


@pytest.mark.parametrize("status", Status)
def test_only_moves_of_the_table_are_made(status: Status) -> None:
    for to in Status:
        store = Store(status=status, trouble="a crash", failed_in=None)
        if to in TRANSITIONS[status]:
            [draft] = transition(store, to, "Going on.")
            assert (store.status, store.trouble, draft.message) == (to, None, "Going on.")
            assert store.failed_in == (status if to == Status.FAILED else None)
        else:
            with pytest.raises(ValueError, match=f"from {status} to {to}$"):
                transition(store, to, "Going on.")
            assert store.status == status
