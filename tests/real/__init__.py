"""A real Supabase project in the place of the embedded one: `make test-supabase`."""
