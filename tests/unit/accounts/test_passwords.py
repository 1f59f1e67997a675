"""A stolen hash is expensive to crack, and an unknown user takes as long as a wrong password."""

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import VerifyMismatchError

from accounts.passwords import DUMMY_HASH, hash_password, verify_password

PASSWORD = "correct horse battery"


async def test_a_hash_is_as_expensive_as_is_recommended() -> None:
    """RFC 9106, the second recommended option."""
    costs = extract_parameters(await hash_password(PASSWORD))
    assert (costs.type, costs.memory_cost, costs.time_cost, costs.parallelism) == (Type.ID, 64 * 1024, 3, 4)


async def test_an_unknown_user_costs_the_same_as_a_known_one() -> None:
    somebody = await hash_password(PASSWORD)
    assert extract_parameters(DUMMY_HASH) == extract_parameters(somebody)
    assert await verify_password(somebody, PASSWORD)
    assert not await verify_password(somebody, PASSWORD + "!")
    with pytest.raises(VerifyMismatchError):  # a malformed hash would raise InvalidHashError at once
        PasswordHasher().verify(DUMMY_HASH, PASSWORD)
    assert not await verify_password(None, PASSWORD)
