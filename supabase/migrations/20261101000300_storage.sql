-- The private bucket of tracks: runs/<runId>/<segmentId>.mp3 (runbook, "Storage").

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values (
  'parcours-tracks', 'parcours-tracks', false, 52428800,
  array['audio/mpeg', 'audio/mp3', 'audio/wav']
)
on conflict (id) do update
  set public = excluded.public,
      file_size_limit = excluded.file_size_limit,
      allowed_mime_types = excluded.allowed_mime_types;

create policy "Service role can manage all tracks"
  ON storage.objects FOR ALL
  USING (bucket_id = 'parcours-tracks' AND auth.role() = 'service_role');
