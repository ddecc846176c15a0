-- The private bucket of tracks: runs/<runId>/<segmentId>.mp3 (docs/specification.md#storage).

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values (
  'parcours-tracks', 'parcours-tracks', false, 52428800,
  array['audio/mpeg', 'audio/mp3', 'audio/wav']
)
on conflict (id) do update
  set public = excluded.public,
      file_size_limit = excluded.file_size_limit,
      allowed_mime_types = excluded.allowed_mime_types;

-- The service's key passes every policy: this one, which is documented, says so. Where the tables
-- of Storage belong to a role that postgres is no member of, nothing is lost without it.
do $$
begin
  drop policy if exists "Service role can manage all tracks" on storage.objects;
  create policy "Service role can manage all tracks"
    ON storage.objects FOR ALL
    USING (bucket_id = 'parcours-tracks' AND auth.role() = 'service_role');
exception when insufficient_privilege then
  raise warning 'the policies of storage.objects are not for % to write: check in the dashboard'
    ' that no policy opens the bucket parcours-tracks', current_user;
end;
$$;
