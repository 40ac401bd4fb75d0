"""From samples to heartbeats: conditioning, lead quality, detection, windows."""
