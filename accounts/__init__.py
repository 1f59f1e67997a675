"""Who may ask: users, accounts, memberships, sessions, tokens, passwords, audit."""
