"""The databases on disk: what they hold, how to get them, and how they are split for scoring."""
