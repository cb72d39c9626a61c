"""What the pages show, as plain values: templates draw them and decide nothing."""
