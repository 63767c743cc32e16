"""Files that come in and go out, trusted or not."""
