"""Parts of screens: they show values that they are given and know no engine."""
