"""The database under the roles of API and workers. The tests' server asks for no passwords."""

from urllib.parse import urlsplit

from pydantic import SecretStr

from runtime.settings import Settings
from stores.database_roles import RoleUrls


def role_urls(url: str) -> RoleUrls:
    """The database of this URL, as `storefleet_api` and as `storefleet_worker`."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return RoleUrls(*(parts._replace(netloc=f"storefleet_{name}@{host}").geturl() for name in RoleUrls._fields))


def as_role(settings: Settings, component: str) -> Settings:
    """The settings of an API or worker process that has its own role."""
    urls = {
        name: SecretStr(getattr(role_urls(url.get_secret_value()), component))
        for name in ("database_url", "database_listen_url")
        if (url := getattr(settings, name)) is not None
    }
    return settings.model_copy(update=urls)
