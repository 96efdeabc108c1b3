"""What enterprises must bring, and the trips that carriers drive anyway."""
