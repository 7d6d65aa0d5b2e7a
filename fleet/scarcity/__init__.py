"""A day of an account whose requests are scarce: real governor and quote rule, made markets."""
