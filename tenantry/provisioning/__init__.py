"""What the steps that make an app have in common: how they fail, and when they are tried again."""
