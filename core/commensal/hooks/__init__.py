"""What plugins may do: contracts, the dispatcher that obeys them, and loading."""
