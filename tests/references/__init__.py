"""What the reference implementations call things, and how their vectors are compared with ours."""
