"""What a producer lists appears at hubs of other instances that it grants, and nowhere else."""
