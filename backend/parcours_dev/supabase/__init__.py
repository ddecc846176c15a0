"""The embedded Supabase: a real PostgreSQL and PostgREST, and small stand-ins for Auth and Storage.

For development, demos and tests only. Production never imports this package.
"""
