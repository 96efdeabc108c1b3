"""Pages about goods: products with their prices, stock and pictures, and what groups of customers see of them."""
