"""Other platforms that use DFC: identified by OpenID Connect, with the scopes that enterprises grant them."""
