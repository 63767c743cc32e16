"""What holds of every evaluation of a calculator: finite numbers, guards, steps kept on disk."""
