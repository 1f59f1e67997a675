"""The codes are those of pycountry, which is kept up to date."""

import pycountry
import pytest

from accounts.errors import CallerError, Code
from stores.countries import (
    COUNTRIES,
    CURRENCIES,
    DEFAULT_COUNTRY,
    DEFAULT_CURRENCY,
    validate_country,
    validate_currency,
)

NO_MONEY = {"XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"}
"""Metals, bonds, units of account, test codes."""


def test_every_country_of_iso_3166_and_no_other() -> None:
    assert {item.alpha_2 for item in pycountry.countries} == COUNTRIES


def test_every_currency_of_iso_4217_that_one_can_pay_with() -> None:
    listed = {item.alpha_3 for item in pycountry.currencies}
    assert CURRENCIES - listed == set()
    assert listed - CURRENCIES == NO_MONEY


def test_the_defaults_are_codes() -> None:
    assert validate_country(DEFAULT_COUNTRY) == DEFAULT_COUNTRY
    assert validate_currency(DEFAULT_CURRENCY) == DEFAULT_CURRENCY


@pytest.mark.parametrize("code", ["", "de", "XX", "DEU", "DE\n", "$(id)"])
def test_what_is_no_country(code: str) -> None:
    with pytest.raises(CallerError) as refusal:
        validate_country(code)
    assert (refusal.value.code, refusal.value.field) == (Code.INVALID_COUNTRY, "country")


@pytest.mark.parametrize("code", ["", "eur", "XAU", "EURO", "EUR "])
def test_what_is_no_currency(code: str) -> None:
    with pytest.raises(CallerError) as refusal:
        validate_currency(code)
    assert (refusal.value.code, refusal.value.field) == (Code.INVALID_CURRENCY, "currency")
