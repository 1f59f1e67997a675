"""Authentication and authorization: users, accounts, memberships, sessions, API tokens, audit."""
