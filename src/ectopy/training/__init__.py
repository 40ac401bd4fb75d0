"""Training through recipes: everything that decides a run is in one TOML file."""
