"""A sealed value can be unsealed only with its key, for its store and field, and unmodified."""

import base64
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.sealing import Keyring, UnsealError, generate_key

KEY = base64.b64encode(bytes(32)).decode()
STORE = UUID(int=1)
KEYRING = Keyring.parse(generate_key())


@given(st.text(), st.text(max_size=20))
def test_any_value_comes_back(value: str, field: str) -> None:
    sealed = KEYRING.seal(STORE, field, value)
    assert KEYRING.unseal(STORE, field, sealed) == value


def test_the_same_value_never_looks_the_same() -> None:
    assert KEYRING.seal(STORE, "password", "hunter2") != KEYRING.seal(STORE, "password", "hunter2")


def test_it_opens_for_its_store_and_field_only() -> None:
    sealed = KEYRING.seal(STORE, "password", "hunter2")
    with pytest.raises(UnsealError, match="another store or field"):
        KEYRING.unseal(uuid4(), "password", sealed)
    with pytest.raises(UnsealError, match="another store or field"):
        KEYRING.unseal(STORE, "salt", sealed)


def test_another_key_of_the_same_name_doesnt_open_it() -> None:
    sealed = KEYRING.seal(STORE, "password", "hunter2")
    with pytest.raises(UnsealError, match="was modified"):
        Keyring.parse(generate_key()).unseal(STORE, "password", sealed)


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(UnsealError, match=r"^password: no key named 'old' here$"):
        KEYRING.unseal(STORE, "password", Keyring.parse(generate_key("old")).seal(STORE, "password", "hunter2"))


def test_every_changed_byte_is_noticed() -> None:
    name, _, body = KEYRING.seal(STORE, "password", "hunter2").partition(".")
    raw = base64.b64decode(body)
    for index in range(len(raw)):
        changed = raw[:index] + bytes([raw[index] ^ 1]) + raw[index + 1 :]
        with pytest.raises(UnsealError, match="was modified"):
            KEYRING.unseal(STORE, "password", f"{name}.{base64.b64encode(changed).decode()}")


def test_a_keys_name_cant_be_swapped() -> None:
    _, key = KEYRING.keys[0]
    twice = Keyring((("k1", key), ("k2", key)))
    with pytest.raises(UnsealError, match="was modified"):
        twice.unseal(STORE, "password", twice.seal(STORE, "password", "hunter2").replace("k1.", "k2.", 1))


@pytest.mark.parametrize("sealed", ["k1.", "k1.AAAA", "k1.not base64", "k1.é", "k1." + "A" * 40])
def test_what_was_never_sealed(sealed: str) -> None:
    with pytest.raises(UnsealError, match="was modified"):
        KEYRING.unseal(STORE, "password", sealed)


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    old, new = generate_key("old"), generate_key("new")
    before = Keyring.parse(old).seal(STORE, "password", "hunter2")
    rotated = Keyring.parse(f"{new}, {old}")
    assert rotated.unseal(STORE, "password", before) == "hunter2"
    after = rotated.seal(STORE, "password", "hunter2")
    assert after.startswith("new.")
    assert Keyring.parse(new).unseal(STORE, "password", after) == "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "k1",
        "k1:",
        "k1:dG9vIHNob3J0",
        "k1:not base64",
        f"k1:{KEY},k1",
        f"k.1:{KEY}",
        f":{KEY}",
    ],
)
def test_malformed_keyrings_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(ValueError, match=r"must (be|hold)") as refusal:
        Keyring.parse(text)
    assert not [piece for piece in text.split(":") if len(piece) > 4 and piece in str(refusal.value)]


@pytest.mark.parametrize("name", ["é1", "k" * 21])
def test_a_keys_name_is_short_and_plain(name: str) -> None:
    with pytest.raises(ValueError, match="id:key pairs"):
        Keyring.parse(generate_key(name))


def test_two_keys_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="must not repeat"):
        Keyring.parse(f"{generate_key()},{generate_key()}")


def test_a_keyring_shows_names_only() -> None:
    keyring = Keyring.parse(f"{generate_key('new')},{generate_key('old')}")
    assert repr(keyring) == "Keyring(new, old)"
