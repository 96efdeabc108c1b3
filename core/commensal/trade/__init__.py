"""What an instance is about: people, enterprises, products, stock, sales, orders and payments."""
