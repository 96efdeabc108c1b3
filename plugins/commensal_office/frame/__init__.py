"""What every page of the office begins with: whose desk it is, which sale it is about, and how it is rendered."""
