"""Installing a shop, killed anywhere or run several times at once: it ends in one shop, like any other."""

import random
import re
import signal
import time

import pytest

from tests.node.conftest import PLUGIN
from tests.node.containers import Container
from tests.node.shops import INSTALL, WORDPRESS, Env, Left, Shop, Shops

MAKE = INSTALL if PLUGIN else WORDPRESS
"""All of a shop, or WordPress alone."""
CUT = {"PHP_INI_SCAN_DIR": ":/opt/storefleet/server:/given"}
IN_WORDPRESS = ("1 wp_users", "1 wp_term_taxonomy", "2 wp_posts", "1 wp_options", "2 wp_usermeta")
IN_WOOCOMMERCE = ("3 wp_term_taxonomy", "9 wp_term_taxonomy", "15 wp_term_taxonomy", "6 wp_posts", "60 wp_options")


def like(shop: Shop, other: Left) -> None:
    """What an undisturbed installation leaves, and nothing else."""
    left = shop.left(sells=PLUGIN is not None)
    assert {
        what: (left[what] - other[what], other[what] - left[what]) for what in left if left[what] != other[what]
    } == {}


def undisturbed(new_shop: Shops, given: Env) -> Left:
    """What an undisturbed installation leaves."""
    return new_shop().make(MAKE, given).left(sells=PLUGIN is not None)


@pytest.fixture
def whole(new_shop: Shops) -> Left:
    left = undisturbed(new_shop, {})
    assert list(left["comments"].elements()) == [("0",)]
    if PLUGIN:
        assert list(left["products"].elements()) == [("storefleet-sample", "instock", "10.0000")]
        assert list(left["categories"].elements()) == [("storefleet-sample", "uncategorized")]
        assert list(left["default category"].elements()) == [("uncategorized",)]
    return left


def kill(program: Container, seconds: float) -> None:
    """So long after it began."""
    assert program.pid
    time.sleep(seconds)
    program.end(signal.SIGKILL)


@pytest.mark.parametrize("given", [{}, {"STORE_LOCALE": "ar", "STORE_SETUP": "wizard"}], ids=["usual", "arabic"])
def test_killed_at_any_moment_and_run_again(new_shop: Shops, given: Env) -> None:
    whole = undisturbed(new_shop, given)
    rng = random.Random(20261124)
    for tenths in range(1, 11):
        shop = new_shop()
        for _ in range(rng.choice((1, 1, 2))):
            kill(shop.start(MAKE, given), rng.uniform(tenths - 1, tenths) / 10)
        shop.run(MAKE, given)
        like(shop, whole)


def steps(log: str) -> list[str]:
    """Those that a program has ended, in order."""
    return re.findall(r'^{"step":"(\w+)","ms":\d+}$', log, re.MULTILINE)


def test_killed_after_each_step(new_shop: Shops, whole: Left) -> None:
    program = new_shop().start(MAKE)
    assert program.wait() == 0
    names = steps(program.log)
    assert len(names) >= 4, program.log
    for number, name in enumerate(names, 1):
        shop = new_shop()
        program = shop.start(MAKE)
        deadline = time.monotonic() + 30
        while len(steps(program.log)) < number:
            assert time.monotonic() < deadline, program.log
            time.sleep(0.002)
        program.end(signal.SIGKILL)
        assert steps(program.log)[number - 1] == name
        shop.run(MAKE)
        like(shop, whole)


def cut(shop: Shop, where: str) -> None:
    """Kill it before that write."""
    program = shop.start(MAKE, {"CUT": where, **CUT})
    deadline = time.monotonic() + 30
    while "CUT" not in program.log:
        assert program.process.poll() is None, f"it never came to {where}: {program.log}"
        assert time.monotonic() < deadline, program.log
        time.sleep(0.01)
    assert program.end(signal.SIGKILL) == 128 + signal.SIGKILL


def test_killed_between_two_rows_that_belong_together(new_shop: Shops, whole: Left) -> None:
    """What is half written is forgotten, and numbers begin anew: a term's two rows have the same ones."""
    for where in (*IN_WORDPRESS, *(IN_WOOCOMMERCE if PLUGIN else ())):
        shop = new_shop()
        cut(shop, where)
        shop.make(MAKE)
        like(shop, whole)


def test_three_at_once_make_one_shop(new_shop: Shops, whole: Left) -> None:
    shop = new_shop()
    programs = [shop.start(MAKE) for _ in range(3)]
    assert [program.wait() for program in programs] == [0, 0, 0]
    like(shop, whole)
