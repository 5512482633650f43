"""Answers before generating, measured on the procedural zoo: users' pictures, and what weights say."""
