"""Growing one tree per problem, many at a time."""
