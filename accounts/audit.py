"""The audit log: an entry is written in the same transaction as the action."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import AuditEntry


def audit(session: AsyncSession, account_id: UUID | None, actor: str, action: str, subject: str, **detail: Any) -> None:
    """Add an entry, e.g. `("user:…", "credentials.revealed", "store:…")`. Never pass a secret."""
    session.add(AuditEntry(account_id=account_id, actor=actor, action=action, subject=subject, detail=detail))
