"""Answers before generating, measured on the mini zoo: users' pictures, and what weights say."""
