"""What people read, in their language: texts, amounts, quantities, moments."""
