"""What plugins need to show pages: a visit, forms, templates. The core itself has no page."""
