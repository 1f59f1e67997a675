"""Whose points a request takes: those of its token and account, of its user, or of the client's address."""

from accounts.actors import Actor
from runtime.budgets import Budget
from runtime.settings import Settings


def budgets_of(actor: Actor, settings: Settings) -> tuple[Budget, ...]:
    """The budgets of a caller who is known. A user has one, whichever account it uses."""
    limit = settings.points_per_minute
    if actor.token_id is None:
        return (Budget(f"user:{actor.user_id}", limit, shared=True),)
    account_limit = settings.account_points_per_minute
    return (
        Budget(f"token:{actor.token_id}", limit, shared=True),
        *(Budget(f"account:{account}", account_limit, shared=True) for account in actor.roles),
    )


def budgets_of_caller(actor: Actor | None, address: str, settings: Settings) -> tuple[Budget, ...]:
    """`actor` None: an anonymous caller."""
    return budgets_of_address(address, settings) if actor is None else budgets_of(actor, settings)


def budgets_of_address(address: str, settings: Settings) -> tuple[Budget, ...]:
    """The budget of all anonymous requests from an address, in each process."""
    return (Budget(f"address:{address}", settings.anonymous_points_per_minute),)


def budgets_of_credentials(address: str, settings: Settings) -> tuple[Budget, ...]:
    """The budget of all credentials from an address that aren't known yet, in each process. Only wrong ones cost."""
    return (Budget(f"credentials:{address}", settings.anonymous_points_per_minute),)
