"""Parcours XL: well-being music journeys, composed on demand, on Supabase."""
