"""What a key looks like: data. The shipped rule files, one per provider."""
