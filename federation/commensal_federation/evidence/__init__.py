"""Evidence about an order: one file that anybody verifies without an instance."""
