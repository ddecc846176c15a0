"""The development kit: an embedded Supabase, simulated Suno and OpenAI, and a demo.

The product never imports it, and its wheel and image do not hold it.
"""
