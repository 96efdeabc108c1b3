"""How people and programs reach an instance: the JSON API, pages, e-mails, reports, monitoring, outbound requests."""
