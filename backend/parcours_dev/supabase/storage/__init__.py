"""A stand-in for Supabase Storage, over the real `storage.buckets` and `storage.objects`.

It speaks the wire format of supabase/storage for what supabase-py and supabase-js do with standard
buckets. Rows are read and written as whoever asks, so that the project's policies decide; contents
lie on the disk.
"""
