"""install.php, killed at any point and run again, or run concurrently: the result is the same shop."""

import random
import re
import signal
import time

import pytest

from tests.node.containers import Container
from tests.node.plugin import PLUGIN
from tests.node.shops import INSTALL, WORDPRESS, Env, Mounts, Shop, Shops, Snapshot

INSTALL_COMMAND = INSTALL if PLUGIN else WORDPRESS
"""Without the plugin: WordPress only."""
KILL_BEFORE = {"PHP_INI_SCAN_DIR": ":/opt/storefleet/server:/test-php"}
IN_WORDPRESS = ("1 wp_users", "1 wp_term_taxonomy", "2 wp_posts", "1 wp_options", "2 wp_usermeta")
IN_WOOCOMMERCE = ("3 wp_term_taxonomy", "9 wp_term_taxonomy", "15 wp_term_taxonomy", "6 wp_posts", "60 wp_options")


def assert_like(shop: Shop, other: Snapshot) -> None:
    """Asserts that the shop has exactly the data of an uninterrupted installation."""
    left = shop.snapshot(sells=PLUGIN is not None)
    assert {
        what: (left[what] - other[what], other[what] - left[what]) for what in left if left[what] != other[what]
    } == {}


def uninterrupted(new_shop: Shops, given: Env, mounts: Mounts | None = None) -> Snapshot:
    """The data after an uninterrupted installation."""
    return new_shop().install(INSTALL_COMMAND, given, mounts).snapshot(sells=PLUGIN is not None)


@pytest.fixture
def complete(new_shop: Shops) -> Snapshot:
    left = uninterrupted(new_shop, {})
    assert list(left["comments"].elements()) == [("0",)]
    if PLUGIN:
        assert list(left["products"].elements()) == [("storefleet-sample", "instock", "10.0000")]
        assert list(left["categories"].elements()) == [("storefleet-sample", "uncategorized")]
        assert list(left["default category"].elements()) == [("uncategorized",)]
    return left


def kill(program: Container, seconds: float) -> None:
    """Sends SIGKILL so many seconds after the start."""
    assert program.pid
    time.sleep(seconds)
    program.stop(signal.SIGKILL)


@pytest.mark.parametrize("given", [{}, {"STORE_LOCALE": "ar", "STORE_SETUP": "wizard"}], ids=["usual", "arabic"])
def test_it_can_be_killed_at_any_point_and_run_again(new_shop: Shops, languages: Mounts, given: Env) -> None:
    complete = uninterrupted(new_shop, given, languages)
    rng = random.Random(20261124)
    for tenths in range(1, 11):
        shop = new_shop()
        for _ in range(rng.choice((1, 1, 2))):
            kill(shop.start(INSTALL_COMMAND, given, languages), rng.uniform(tenths - 1, tenths) / 10)
        shop.run(INSTALL_COMMAND, given, languages)
        assert_like(shop, complete)


def steps(log: str) -> list[str]:
    """The finished steps in a program's output."""
    return re.findall(r'^{"step":"(\w+)","ms":\d+}$', log, re.MULTILINE)


def test_killed_after_each_step(new_shop: Shops, complete: Snapshot) -> None:
    program = new_shop().start(INSTALL_COMMAND)
    assert program.wait() == 0
    names = steps(program.log)
    assert len(names) >= 4, program.log
    for number, name in enumerate(names, 1):
        shop = new_shop()
        program = shop.start(INSTALL_COMMAND)
        deadline = time.monotonic() + 30
        while len(steps(program.log)) < number:
            assert time.monotonic() < deadline, program.log
            time.sleep(0.002)
        program.stop(signal.SIGKILL)
        assert steps(program.log)[number - 1] == name
        shop.run(INSTALL_COMMAND)
        assert_like(shop, complete)


def kill_before_write(shop: Shop, where: str) -> None:
    """Kills it before that INSERT."""
    program = shop.start(INSTALL_COMMAND, {"KILL_BEFORE": where, **KILL_BEFORE})
    deadline = time.monotonic() + 30
    while "KILL_BEFORE" not in program.log:
        assert program.process.poll() is None, f"it never came to {where}: {program.log}"
        assert time.monotonic() < deadline, program.log
        time.sleep(0.01)
    assert program.stop(signal.SIGKILL) == 128 + signal.SIGKILL


def test_killed_between_two_rows_that_belong_together(new_shop: Shops, complete: Snapshot) -> None:
    """Incomplete rows are deleted and ids start again: both rows of a term have the same id."""
    for where in (*IN_WORDPRESS, *(IN_WOOCOMMERCE if PLUGIN else ())):
        shop = new_shop()
        kill_before_write(shop, where)
        shop.install(INSTALL_COMMAND)
        assert_like(shop, complete)


def test_three_at_once_make_one_shop(new_shop: Shops, complete: Snapshot) -> None:
    shop = new_shop()
    programs = [shop.start(INSTALL_COMMAND) for _ in range(3)]
    assert [program.wait() for program in programs] == [0, 0, 0]
    assert_like(shop, complete)
