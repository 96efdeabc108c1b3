"""Platforms of others that speak DFC: who they are, by OpenID Connect, and what each enterprise lets them do."""
