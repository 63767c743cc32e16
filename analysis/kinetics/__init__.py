"""How fast an ion moves: barriers, fields, prefactors, rates and switching."""
