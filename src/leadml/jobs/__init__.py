"""Jobs: what leadml does when it is called, each a straight line."""
