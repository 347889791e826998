"""What clockodo-deliver is made of."""
