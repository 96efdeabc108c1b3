"""Pages of producers, and of the hubs that they supply: rights, absences, what is brought and received."""
