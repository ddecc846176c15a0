"""Parcours XL: therapeutic music journeys, composed on demand, on Supabase."""
