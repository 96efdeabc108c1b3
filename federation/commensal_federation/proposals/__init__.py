"""A producer proposes one sale to every hub that it has granted; each hub accepts it, by a person or automatically."""
