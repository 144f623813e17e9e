"""The sets that come with naion: a TOML file each, beside its CSV tables."""
