"""A stand-in for Supabase Auth, over the real `auth.users`.

It speaks the wire format of supabase/auth for what supabase-py and supabase-js do with passwords,
anonymous users, sessions and the admin API. It sends no mail: what hosted Auth would confirm by
mail is confirmed at once.
"""
