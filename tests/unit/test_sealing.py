"""A sealed value opens only with its key, for its store and its field, and unchanged."""

import base64
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.sealing import Keyring, SealError, new_key

STORE = UUID(int=1)
RING = Keyring.parse(new_key())


@given(st.text(), st.text(max_size=20))
def test_any_value_comes_back(value: str, field: str) -> None:
    sealed = RING.seal(STORE, field, value)
    assert RING.open(STORE, field, sealed) == value


def test_the_same_value_never_looks_the_same() -> None:
    assert RING.seal(STORE, "password", "hunter2") != RING.seal(STORE, "password", "hunter2")


def test_it_opens_for_its_store_and_field_only() -> None:
    sealed = RING.seal(STORE, "password", "hunter2")
    with pytest.raises(SealError, match="another store or field"):
        RING.open(uuid4(), "password", sealed)
    with pytest.raises(SealError, match="another store or field"):
        RING.open(STORE, "salt", sealed)


def test_another_key_of_the_same_name_doesnt_open_it() -> None:
    sealed = RING.seal(STORE, "password", "hunter2")
    with pytest.raises(SealError, match="was changed"):
        Keyring.parse(new_key()).open(STORE, "password", sealed)


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(SealError, match=r"^password: no key named 'old' here$"):
        RING.open(STORE, "password", Keyring.parse(new_key("old")).seal(STORE, "password", "hunter2"))


def test_every_changed_byte_is_noticed() -> None:
    name, _, body = RING.seal(STORE, "password", "hunter2").partition(".")
    raw = base64.b64decode(body)
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(SealError, match="was changed"):
            RING.open(STORE, "password", f"{name}.{base64.b64encode(changed).decode()}")


def test_a_keys_name_cant_be_swapped() -> None:
    _, key = RING.keys[0]
    twice = Keyring((("k1", key), ("k2", key)))
    with pytest.raises(SealError, match="was changed"):
        twice.open(STORE, "password", twice.seal(STORE, "password", "hunter2").replace("k1.", "k2.", 1))


@pytest.mark.parametrize("sealed", ["k1.", "k1.AAAA", "k1.not base64", "k1.é", "k1." + "A" * 40])
def test_what_was_never_sealed(sealed: str) -> None:
    with pytest.raises(SealError, match="was changed"):
        RING.open(STORE, "password", sealed)


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    old, new = new_key("old"), new_key("new")
    before = Keyring.parse(old).seal(STORE, "password", "hunter2")
    rotated = Keyring.parse(f"{new}, {old}")
    assert rotated.open(STORE, "password", before) == "hunter2"
    after = rotated.seal(STORE, "password", "hunter2")
    assert after.startswith("new.")
    assert Keyring.parse(new).open(STORE, "password", after) == "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "k1",
        "k1:",
        "k1:dG9vIHNob3J0",
        "k1:not base64",
        f"{new_key()},k1",
        "k.1:" + new_key()[3:],
        ":" + new_key()[3:],
    ],
)
def test_what_is_no_ring_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"must (be|hold)") as refusal:
        Keyring.parse(text)
    assert not [piece for piece in text.split(":") if len(piece) > 4 and piece in str(refusal.value)]


@pytest.mark.parametrize("name", ["é1", "k" * 21])
def test_a_keys_name_is_short_and_plain(name: str) -> None:
    with pytest.raises(ValueError, match="id:key pairs"):
        Keyring.parse(new_key(name))


def test_two_keys_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="must not repeat"):
        Keyring.parse(f"{new_key()},{new_key()}")


def test_a_ring_shows_names_only() -> None:
    ring = Keyring.parse(f"{new_key('new')},{new_key('old')}")
    assert repr(ring) == "Keyring(new, old)"
