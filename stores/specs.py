"""The input of an engine's `render`, from a store's row."""

from stores.engines import StoreSpec
from stores.models import Store
from stores.plans import PLANS


def store_spec(store: Store) -> StoreSpec:
    """The columns that manifests may depend on."""
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
