"""Visits, forms and templates for the pages of plugins. The core itself has no pages."""
