"""Pages of sales: plan one, change its times or call it off, and print its papers."""
