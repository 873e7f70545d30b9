"""AppArmor: which programs are confined, and which files their profiles let them read."""
