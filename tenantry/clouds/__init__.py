"""The clouds that an app's parts live in. What is known of each without asking it stands in one file; pure."""
