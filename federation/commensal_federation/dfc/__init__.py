"""What this instance says and reads in the words of the Data Food Consortium (DFC), versions 1.16 and 2.0."""
