"""From a store's row to what its manifests may depend on."""

from stores.engines import StoreSpec
from stores.models import Store
from stores.plans import PLANS


def spec_of(store: Store) -> StoreSpec:
    """The part of the row that an engine renders."""
    return StoreSpec(
        store_id=store.id,
        account_id=store.account_id,
        name=store.name,
        slug=store.slug,
        plan=PLANS[store.plan],
        release=store.release,
        admin_email=store.admin_email,
        country=store.country,
        currency=store.currency,
        language=store.language,
        setup=store.setup,
    )
